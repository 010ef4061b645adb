"""The step that is a Python function, for what no declarative step says: payload in, payload out.

The function stands in a file beside the TOML files of the registry, never in a package: so its whole text is known, is
part of the registry's hash, and goes to worker processes as it is. It is called with a copy of the payload as plain
values (a number with a fraction is a float) and returns the new payload; a number it hands on keeps its text. It must
be pure and give the same for the same payload: nothing can check that, so its file is only run where that is allowed.
"""

import math
import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import msgspec

from workbench.decode.normalise import MAX_INTEGER, MIN_INTEGER
from workbench.decode.steps import Step
from workbench.errors import RegistryError

Function = Callable[[dict[str, Any]], dict[str, Any]]
_NAME: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_]*):([A-Za-z_][A-Za-z0-9_]*)")


class StepError(Exception):
    """A Python step could not lift a payload; never leaves this package."""


class Python(Step, frozen=True, kw_only=True):
    """Call a function: ``python`` is ``file:function``, ``source`` the file's text."""

    python: str
    source: str

    def apply(self, payload: dict[str, Any]) -> None:
        """Change the payload in place; raises StepError where the function raises, or returns no JSON object."""
        try:
            made = load_function(self.python, self.source)(_read(payload))
            kept = _write(made)
        except (Exception, SystemExit) as error:
            raise StepError(f"{self.python}: {type(error).__name__}: {error}") from error
        if not isinstance(kept, dict):
            raise StepError(f"{self.python} returned {type(made).__name__}, not a dict")
        payload.clear()
        payload.update(kept)


class _Written(float):
    """A number with a fraction or an exponent that remembers how it was written."""

    text: bytes


def read_python(name: Any, file: Path, *, allowed: bool) -> Python:
    """Return the step that calls ``name``, a function of a file beside ``file``.

    Raises RegistryError where Python steps are not allowed here, and where the file cannot be run or has no such
    function.
    """
    found = _NAME.fullmatch(name) if isinstance(name, str) else None
    if found is None:
        raise RegistryError(f'{file}: the step python = {name!r} names no function. Write python = "file:function".')
    place = file.parent / f"{found[1]}.py"
    if not allowed:
        raise RegistryError(
            f"{file}: the step {name} would run {place}, and no code of a registry is run unasked. Read that file; if "
            "you trust it, set WORKBENCH_PYTHON_STEPS=true, or load the registry with python_steps=True."
        )
    step = Python(python=name, source=_read_source(place, file))
    try:
        load_function(step.python, step.source)
    except (Exception, SystemExit) as error:
        raise RegistryError(f"{file}: {place} cannot be run: {type(error).__name__}: {error}. Mend it.") from error
    return step


def _read_source(place: Path, file: Path) -> str:
    if place.resolve().parent != file.parent.resolve():
        raise RegistryError(f"{file}: {place} leads elsewhere. Put the file itself beside the TOML files.")
    try:
        return place.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise RegistryError(f"{file}: {place} cannot be read: {error}. Put it beside the TOML files.") from error


@lru_cache(maxsize=256)
def load_function(name: str, source: str) -> Function:
    """Return the function of a file's text; raises what running the text raises, TypeError where it has none."""
    stem, _, function = name.partition(":")
    module = ModuleType(f"workbench_upcasters_{stem}")
    exec(compile(source, f"{stem}.py", "exec", dont_inherit=True), module.__dict__)  # noqa: S102 - allowed by who runs it
    found = module.__dict__.get(function)
    if not callable(found):
        message = f"it defines no function {function}"
        raise TypeError(message)
    called: Function = found
    return called


def _read(value: Any) -> Any:
    """Return a copy of a payload as plain values."""
    if isinstance(value, dict):
        return {name: _read(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_read(item) for item in value]
    if isinstance(value, msgspec.Raw):
        number = _Written(bytes(value))
        number.text = bytes(value)
        return number
    return value


def _write(value: Any) -> Any:
    """Return a value as the steps keep it; raises TypeError or ValueError where JSON, or the log, does not have it."""
    if isinstance(value, dict):
        return {_text(name): _write(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_write(item) for item in value]
    if isinstance(value, _Written):
        return msgspec.Raw(value.text)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(value)
    is_number = (isinstance(value, float) and math.isfinite(value)) or (
        isinstance(value, int) and MIN_INTEGER <= value <= MAX_INTEGER
    )
    if not is_number:
        message = f"{value!r} is no JSON value"
        raise TypeError(message)
    return float(value) if isinstance(value, float) else int(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        message = f"{value!r} is no name of a member"
        raise TypeError(message)
    value.encode()  # raises where half of a surrogate pair stands alone
    return str(value)
