"""Projections by a Python function: any that is pure. One that could answer otherwise tomorrow is refused, and why."""

import builtins
import dis
from collections.abc import Callable, Iterator
from hashlib import sha256
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any, Final

from workbench.errors import ProjectionError
from workbench.replay.paths import read_path
from workbench.replay.projection import Order, Projection

# state, event → state. The event is a dict: the envelope's columns, and ``data`` as JSON values.
Reduce = Callable[[Any, dict[str, Any]], Any]
MODULES: Final = frozenset(
    {
        "bisect",
        "collections",
        "copy",
        "decimal",
        "fractions",
        "functools",
        "heapq",
        "itertools",
        "json",
        "math",
        "operator",
    }
    | {"re", "statistics", "string", "textwrap", "unicodedata", "datetime", "dataclasses", "enum", "typing", "msgspec"}
)
# What reads a clock, or differs between two runs of one program.
ATTRIBUTES: Final = frozenset({"now", "today", "utcnow", "fromtimestamp", "urandom", "__subclasses__", "__globals__"})
BUILTINS: Final = frozenset(
    {
        "open",
        "input",
        "eval",
        "exec",
        "compile",
        "__import__",
        "id",
        "hash",
        "globals",
        "locals",
        "vars",
        "breakpoint",
        "print",
    }
)


def make_reducer(
    reduce: Reduce,
    *,
    version: int = 1,
    initial: Any = None,
    event_types: tuple[str, ...] | None = None,
    entity: str = "stream_id",
    order: Order = "position",
) -> Projection:
    """Return the projection that a function makes: its state starts as ``initial`` and is what the function returns.

    The function is called with a copy of the state and with an event as a dict, and must return a JSON value. An event
    at which it raises leaves the state as it is and is told of. Its name and the code it runs identify the projection.
    Raises ProjectionError for a function that reads the clock, chance, files or the network.

    >>> def count(state, event):
    ...     return {"events": state["events"] + 1}
    >>> make_reducer(count, initial={"events": 0}).name
    'count'
    """
    if not isinstance(reduce, FunctionType):
        raise ProjectionError(f"{reduce!r} is no Python function, so it cannot be looked into. Give a function.")
    codes = list(check_purity(reduce))
    return Projection(
        name=reduce.__name__,
        version=version,
        order=order,
        entity=(read_path(entity),),
        reduce=reduce,
        initial=initial,
        reads=None if event_types is None else tuple(sorted(event_types)),
        code=sha256(b"".join(codes)).hexdigest(),
    )


def check_purity(function: FunctionType) -> Iterator[bytes]:
    """Yield what identifies the code of a function and of those it calls. Raises ProjectionError."""
    waiting, seen = [function], set[int]()
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        for code in walk_code(one.__code__):
            yield code.co_code + repr((code.co_names, _constants(code))).encode()
            for name in _globals(code):
                waiting += _judge(name, one, function)
            _judge_attributes(code, function)
        for cell in one.__closure__ or ():
            if isinstance(cell.cell_contents, FunctionType):
                waiting.append(cell.cell_contents)
            else:
                yield repr(cell.cell_contents).encode()


def walk_code(code: CodeType) -> Iterator[CodeType]:
    """Yield a code object and those nested in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from walk_code(constant)


def _constants(code: CodeType) -> list[Any]:
    return [constant for constant in code.co_consts if not isinstance(constant, CodeType)]


def _globals(code: CodeType) -> list[str]:
    return [str(step.argval) for step in dis.get_instructions(code) if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")]


def _judge(name: str, holder: FunctionType, function: FunctionType) -> list[FunctionType]:
    """Return the functions behind a global name that are to be looked into. Raises ProjectionError."""
    found = holder.__globals__.get(name, getattr(builtins, name, None))
    if name in BUILTINS and name not in holder.__globals__:
        refuse(function, f"it calls {name}")
    if isinstance(found, ModuleType):
        _judge_module(found.__name__, function)
    elif isinstance(found, FunctionType):
        _judge_module(found.__module__, function) if _is_library(found, function) else None
        return [] if _is_library(found, function) else [found]
    elif isinstance(found, BuiltinFunctionType) and found.__module__ not in ("builtins", None):
        _judge_module(str(found.__module__).lstrip("_"), function)
    return []


def _is_library(found: FunctionType, function: FunctionType) -> bool:
    """Tell whether a function comes from another package than the one asked about: it is judged by its module."""
    return found.__module__.partition(".")[0] != function.__module__.partition(".")[0]


def _judge_module(name: str, function: FunctionType) -> None:
    if name.partition(".")[0] not in MODULES:
        refuse(function, f"it uses the module {name}")


def _judge_attributes(code: CodeType, function: FunctionType) -> None:
    for step in dis.get_instructions(code):
        if step.opname == "IMPORT_NAME":
            _judge_module(str(step.argval), function)
        elif step.opname in ("LOAD_ATTR", "LOAD_METHOD") and step.argval in ATTRIBUTES:
            refuse(function, f"it asks for .{step.argval}")
        elif step.opname in ("STORE_GLOBAL", "DELETE_GLOBAL"):
            refuse(function, f"it changes the global {step.argval}")


def refuse(function: FunctionType, why: str) -> None:
    """Raise ProjectionError: the function is not pure."""
    raise ProjectionError(
        f"The reducer {function.__name__} may answer otherwise another time: {why}. A reducer may use its arguments "
        f"alone, and of modules {', '.join(sorted(MODULES))}; put what it needs into events."
    )
