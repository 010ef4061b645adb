"""Exported files load in TRL's own dataset functions, in an environment that holds TRL and nothing of ours."""

import json
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from benchmarks.places import cache_folder
from tests.deltas.export.test_rules import ROWS, make_export
from workbench.deltas.export.files import write_export
from workbench.deltas.export.rules import ExportPlan

pytestmark = pytest.mark.long

NEEDED = ("trl>=1,<2", "datasets", "transformers", "jinja2")
READER = Path(__file__).with_name("trl_reader.py")
COLUMNS = {
    ("sft", True): ["messages"],
    ("sft", False): ["completion", "prompt"],
    ("dpo", True): ["chosen", "prompt", "rejected"],
    ("dpo", False): ["chosen", "prompt", "rejected"],
    ("kto", True): ["completion", "label", "prompt"],
    ("kto", False): ["completion", "label", "prompt"],
}


@pytest.fixture(scope="module")
def trl() -> Path:
    """The Python of an environment with TRL, without a framework to train with; or a loud skip."""
    folder = cache_folder() / "trl-env"
    python = folder / "bin" / "python"
    check = [str(python), "-c", "import trl.data_utils, datasets"]
    if python.exists() and not subprocess.run(check, capture_output=True, check=False).returncode:
        return python
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=False)
    uv = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", str(python)]
    for arguments in (["--no-deps", NEEDED[0]], NEEDED[1:]):
        done = subprocess.run([*uv, *arguments], capture_output=True, text=True, check=False)
        if done.returncode:
            shutil.rmtree(folder, ignore_errors=True)
            pytest.skip(f"TRL NOT TESTED: it could not be installed: {done.stderr.strip().splitlines()[-1:]}")
    return python


def test_trl_reads_every_format_as_what_it_is(trl: Path, tmp_path: Path) -> None:
    """Messages as messages, plain text as plain text, with the columns its trainers ask for; JSON lines and Parquet."""
    wanted = []
    for form, messages in COLUMNS:
        for file in ("jsonl", "parquet"):
            plan = ExportPlan(format=form, messages=messages, file=file)  # type: ignore[arg-type] # of the literals above
            folder = tmp_path / f"{form}-{messages}-{file}"
            manifest = write_export(make_export(plan, ROWS), folder)
            wanted.append((folder / manifest["files"][0]["name"], (form, messages), manifest["rows"]))
    done = subprocess.run(
        [trl, READER, *(str(path) for path, _, _ in wanted)], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert not done.returncode, done.stderr[-2_000:]
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    for answer, (_, (form, messages), rows) in zip(answers, wanted, strict=True):
        assert answer["rows"] == rows
        assert answer["messages"] == [messages]
        assert answer["columns"] == COLUMNS[(form, messages)]
    first = next(answer["first"] for answer, (_, kind, _) in zip(answers, wanted, strict=True) if kind == ("dpo", True))
    assert first == {
        "prompt": "<user>Write letter 0.\n",
        "chosen": "<assistant>Dear friends\n",
        "rejected": "<assistant>Dear all\n",
    }
