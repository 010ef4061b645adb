"""What the texts say is so: their code runs, their links lead somewhere, their commands exist."""

import doctest
import re
import shlex
from pathlib import Path

import pytest

import workbench
from workbench.cli import main
from workbench.cli.parser import build_parser
from workbench.decode import load_registry

ROOT = Path(__file__).resolve().parents[2]
TEXTS = [
    *("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "datasets/README.md"),
    *("docs/projections.md", "docs/deltas.md", "docs/training.md"),
]
LINK = re.compile(r"\]\(([^)#:]+)\)")
# Made by `make screens`, and by nothing else.
PICTURES = {"docs/timeline-light.png", "docs/deltas-light.png"}


@pytest.mark.parametrize("name", ["README.md", "docs/projections.md", "docs/deltas.md"])
def test_the_code_of_a_text_runs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "datasets").symlink_to(ROOT / "datasets")
    monkeypatch.chdir(tmp_path)
    failed, tried = doctest.testfile(str(ROOT / name), module_relative=False, optionflags=doctest.ELLIPSIS)
    assert tried > 10
    assert failed == 0


def test_the_example_of_a_type_can_be_loaded_and_lifts(tmp_path: Path) -> None:
    [toml, code] = re.findall(
        r"```(?:toml|python)\n(.*?)```", (ROOT / "docs" / "schemas.md").read_text("utf-8"), re.DOTALL
    )
    (tmp_path / "loan-requested.3.json").write_text("{}")
    (tmp_path / "own.py").write_text(code)
    (tmp_path / "loan.toml").write_text(toml.replace('  { drop = "legacy" },', '  { python = "own:to_cents" },'))
    registry = load_registry(tmp_path, python_steps=True)
    text = '{"sum":12.50,"months":"many","channel":"W","name":"Ada King Lovelace","city":"Ghent"}'
    lifted = (
        '{"months":null,"channel":"web","currency":"EUR","first":"Ada","last":"King Lovelace",'
        '"address":{"city":"Ghent"},"cents":1250}'
    )
    assert registry.upcast("LoanRequested", 1, text) == (3, lifted)


def test_the_tour_s_statement_finds_the_bad_prompt(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    [statement] = re.findall(r"```sql\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    assert len(statement.splitlines()) == 3
    assert main(["demo", str(tmp_path), "--events", "20000"]) == 0
    capsys.readouterr()
    with workbench.connect(tmp_path) as session:
        shares = {version: rejected / shown for version, shown, rejected in session.sql(statement).rows()}
    assert max(shares, key=lambda version: shares[version]) == "desk-3"
    assert shares["desk-3"] > 0.5
    assert max(shares["desk-1"], shares["desk-2"]) < 0.1


@pytest.mark.parametrize("name", TEXTS)
def test_every_link_leads_to_a_file(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    absent = [link for link in LINK.findall(text) if not ((ROOT / name).parent / link).exists()]
    assert set(absent) <= PICTURES


@pytest.mark.parametrize("name", ["README.md", "docs/projections.md", "docs/training.md"])
def test_every_command_of_a_text_can_be_typed(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith("workbench ")]
    assert lines
    for line in lines:
        assert build_parser().parse_args(shlex.split(line)[1:]).run


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_every_make_target_named_in_a_text_exists(name: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = re.findall(r"\bmake ([a-z][a-z-]+)", (ROOT / name).read_text(encoding="utf-8"))
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    commands = {target for target in named if f"`make {target}" in (ROOT / name).read_text(encoding="utf-8")}
    assert commands <= targets


def test_every_setting_is_described() -> None:
    from workbench.config import LogSettings, QuerySettings, Settings, TrinoSettings

    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    own = [name for name in Settings.__struct_fields__ if name not in {"log", "query", "trino"}]
    nested = [f"log.{name}" for name in LogSettings.__struct_fields__]
    nested += [f"query.{name}" for name in QuerySettings.__struct_fields__]
    nested += [f"trino.{name}" for name in TrinoSettings.__struct_fields__]
    assert [name for name in [*own, *nested] if f"| `{name}` |" not in text] == []


def test_every_column_of_the_log_is_described() -> None:
    from workbench.eventlog.schema import EVENTS

    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    assert [field.name for field in EVENTS.fields if f"`{field.name}`" not in text] == []
