"""The direction of the design, as a static contract and as what an interpreter really loads.

A static check cannot see an import made inside a function or by a third party, so each subprocess test starts a fresh
interpreter, imports one thing and looks at what got loaded.
"""

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("duckdb", "trino", "pyiceberg", "marimo", "ipywidgets", "anywidget", "polars", "altair", "pyarrow", "numpy")
ENGINES_AND_TOOLKITS = ("duckdb", "trino", "pyiceberg", "marimo", "ipywidgets", "anywidget")


def loaded_by(statement: str) -> set[str]:
    script = f"import sys; {statement}; print(' '.join(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    return set(done.stdout.split())


def test_the_import_contract_holds(repository: Path) -> None:
    command = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([command, "--no-cache"], cwd=repository, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_importing_workbench_loads_nothing_heavy() -> None:
    assert loaded_by("import workbench").isdisjoint(HEAVY)


@pytest.mark.parametrize("module", ["workbench.errors", "workbench.event", "workbench.config"])
def test_the_values_load_nothing_heavy(module: str) -> None:
    assert loaded_by(f"import {module}").isdisjoint(HEAVY)


# Altair itself loads anywidget and IPython where they are installed; what charts adds to that is the claim.
@pytest.mark.parametrize(("stage", "given"), [("event", "sys"), ("decode", "sys"), ("charts", "altair")])
def test_a_pure_stage_loads_no_engine_no_catalog_and_no_toolkit(repository: Path, stage: str, given: str) -> None:
    folder = repository / "workbench" / stage
    modules = [f"workbench.{stage}", *(f"workbench.{stage}.{file.stem}" for file in folder.glob("[!_]*.py"))]
    added = loaded_by(f"import {', '.join(modules)}") - loaded_by(f"import {given}")
    assert added.isdisjoint(ENGINES_AND_TOOLKITS)


def test_the_command_line_says_its_version_without_an_engine() -> None:
    assert loaded_by("import workbench.cli").isdisjoint(HEAVY)
