"""How long code may be. A line counts when it holds code: not blank, not a comment, not part of a docstring."""

import ast
import io
import subprocess
import tokenize
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULE_LINES, FUNCTION_LINES, PARAMETERS = 300, 40, 6
NOTEBOOK_LINES, CELL_LINES = 80, 10
SILENT = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
Function = ast.FunctionDef | ast.AsyncFunctionDef
MODULES = sorted(str(file.relative_to(ROOT)) for file in ROOT.glob("workbench/**/*.py"))
NOTEBOOKS = sorted(str(file.relative_to(ROOT)) for file in ROOT.glob("notebooks/*.py"))


@cache
def parse_module(name: str) -> ast.Module:
    return ast.parse((ROOT / name).read_text(encoding="utf-8"))


@cache
def code_lines(name: str) -> frozenset[int]:
    text = (ROOT / name).read_text(encoding="utf-8")
    lines = {
        line
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type not in SILENT
        for line in range(token.start[0], token.end[0] + 1)
    }
    return frozenset(lines - docstring_lines(parse_module(name)))


def docstring_lines(module: ast.Module) -> set[int]:
    holders = (node for node in ast.walk(module) if isinstance(node, ast.Module | ast.ClassDef | Function))
    first = (holder.body[0] for holder in holders if holder.body and ast.get_docstring(holder, clean=False) is not None)
    return {line for node in first for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)}


def functions(name: str) -> list[Function]:
    return [node for node in ast.walk(parse_module(name)) if isinstance(node, Function)]


def length(name: str, node: ast.AST) -> int:
    first, last = node.lineno, node.end_lineno  # type: ignore[attr-defined]  # statements have both
    return len(code_lines(name) & set(range(first, last + 1)))


def parameters(function: Function) -> int:
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return len([argument for argument in named if argument.arg not in {"self", "cls"}])


def is_excused(name: str, function: Function) -> bool:
    """Whether a line of the signature silences the rule, with its reason."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()[function.lineno - 1 : function.body[0].lineno]
    return any("noqa: PLR0913" in line for line in lines)


@pytest.mark.parametrize("name", MODULES)
def test_a_module_is_short(name: str) -> None:
    assert len(code_lines(name)) <= MODULE_LINES


@pytest.mark.parametrize("name", MODULES)
def test_a_function_is_short(name: str) -> None:
    assert {f.name: length(name, f) for f in functions(name) if length(name, f) > FUNCTION_LINES} == {}


@pytest.mark.parametrize("name", MODULES)
def test_a_function_takes_few_parameters(name: str) -> None:
    many = {f.name: parameters(f) for f in functions(name) if parameters(f) > PARAMETERS and not is_excused(name, f)}
    assert many == {}


@pytest.mark.skipif(not NOTEBOOKS, reason="there is no notebook yet")
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_is_thin(name: str) -> None:
    assert len(code_lines(name)) <= NOTEBOOK_LINES
    assert {f.name: length(name, f) for f in functions(name) if length(name, f) > CELL_LINES + 2} == {}


def test_the_budgets_see_code_and_not_words(tmp_path: Path) -> None:
    head = '"""A docstring.\n\nIn lines."""\n\n# a comment\n\n\n'
    text = head + 'def add(one: int, two: int) -> int:\n    """Add."""\n    return one + two\n'
    file = tmp_path / "sample.py"
    file.write_text(text, encoding="utf-8")
    assert len(code_lines(str(file))) == 2
    assert [(length(str(file), f), parameters(f)) for f in functions(str(file))] == [(2, 2)]


def test_tracked_python_is_what_the_budgets_look_at() -> None:
    listed = subprocess.run(["git", "ls-files", "workbench"], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S607 — the git on the PATH
    assert {name for name in listed.stdout.split() if name.endswith(".py") and (ROOT / name).exists()} <= set(MODULES)
