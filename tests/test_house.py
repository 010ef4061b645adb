"""What may not stand in the repository, and what must."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.conftest import LONGEST

ROOT = Path(__file__).resolve().parents[1]
# Written in pieces, so that this file does not name what it forbids.
REGISTRY_HOSTS = re.compile(
    r"pypi\.o"
    r"rg|pythonhosted\.o"
    r"rg|registry\.npm"
    r"js|repo1?\.mav"
    r"en|proxy\.gol"
    r"ang|crates\.i"
    r"o/|deb\.deb"
    r"ian"
)
MACHINE_PATHS = re.compile(r"(^|[^a-zA-Z0-9_./-])/(work|root|farm|home)/")
LEFT_OVERS = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")
VAGUE_NAMES = re.compile(r"(^|/)(utils?|helpers?|common|misc|manager)(\.py|/)")


def list_files() -> list[Path]:
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S607 — the git on the PATH
    if done.returncode:
        pytest.skip("THE HOUSE WAS NOT SEARCHED: this is no git checkout")
    return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


def find_lines(pattern: re.Pattern[str], files: list[Path]) -> list[str]:
    found = []
    for file in files:
        text = file.read_bytes().decode("utf-8", "replace")
        found += [f"{file.relative_to(ROOT)}: {line[:160]}" for line in text.splitlines() if pattern.search(line)]
    return found


def test_no_package_registry_is_named_anywhere() -> None:
    assert find_lines(REGISTRY_HOSTS, list_files()) == []


def test_no_path_of_one_machine_is_written_down() -> None:
    assert find_lines(MACHINE_PATHS, list_files()) == []


def test_no_left_over_stands_in_code() -> None:
    assert find_lines(LEFT_OVERS, [file for file in list_files() if file.suffix == ".py"]) == []


def test_a_module_is_named_after_what_it_is_about() -> None:
    assert [str(file) for file in list_files() if VAGUE_NAMES.search(str(file.relative_to(ROOT)))] == []


def test_no_tracked_file_is_over_one_megabyte() -> None:
    assert [file.name for file in list_files() if file.stat().st_size > 1_000_000] == []


def test_every_silenced_rule_carries_its_code_and_its_reason() -> None:
    bare = re.compile(r"#\s*(noqa(?!: [A-Z]+\d+(, ?[A-Z]+\d+)* +\S)|type: ignore(?!\[[a-z-]+(, ?[a-z-]+)*\] +\S))")
    assert find_lines(bare, [file for file in list_files() if file.suffix == ".py" and file != Path(__file__)]) == []


def test_the_modules_that_are_to_come_first_are_there() -> None:
    assert [name for name in LONGEST if not (ROOT / "tests" / name).is_file()] == []


def test_every_make_target_is_listed_by_make_help() -> None:
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S607 — the make on the PATH
    targets = re.findall(r"^\.PHONY: (\S+)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert {target for target in targets if f"make {target} " not in listed} == set()


def test_every_locked_package_has_a_hash() -> None:
    lock = (ROOT / "requirements" / "all.txt").read_text(encoding="utf-8").replace("\\\n", " ")
    pinned = [line for line in lock.splitlines() if line and not line.lstrip().startswith("#")]
    assert [line[:80] for line in pinned if "==" not in line or "--hash=sha256:" not in line] == []
