"""Projections by a Python function: any that is pure. One that could answer otherwise tomorrow is refused, and why."""

import builtins
import dis
from collections.abc import Callable, Iterator
from hashlib import sha256
from types import CodeType, FunctionType, ModuleType
from typing import Any, Final

from workbench.errors import ProjectionError
from workbench.replay.folding.paths import read_path
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
# Values that a function may find in its module: they identify it as its code does.
PLAIN: Final = (str, int, float, bool, tuple, list, dict, set, frozenset)
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
                found = _find_global(name, one, function)
                waiting += _look_into(found, function)
                if isinstance(found, PLAIN):
                    yield repr(found).encode()
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


def _find_global(name: str, holder: FunctionType, function: FunctionType) -> Any:
    """Return what a global name stands for in a function. Raises ProjectionError for a builtin that is not pure."""
    if name in BUILTINS and name not in holder.__globals__:
        refuse(function, f"it calls {name}")
    return holder.__globals__.get(name, getattr(builtins, name, None))


def _look_into(found: Any, function: FunctionType) -> list[FunctionType]:
    """Return the functions behind a global that are to be looked into. Raises ProjectionError for one not allowed."""
    if isinstance(found, FunctionType) and not _is_library(found, function):
        return [found]
    if isinstance(found, type) and not _is_library(found, function):
        return [member for member in vars(found).values() if isinstance(member, FunctionType)]
    _judge_module(_home(found), function)
    return []


def _home(found: Any) -> str:
    """Return the module that a global comes from: its own, that of what it is a method of, or that of its type."""
    if isinstance(found, ModuleType):
        return found.__name__
    holder = getattr(found, "__self__", None)
    if isinstance(holder, ModuleType):
        return holder.__name__
    if isinstance(found, type | FunctionType):
        return found.__module__
    return type(found if holder is None else holder).__module__


def _is_library(found: FunctionType | type, function: FunctionType) -> bool:
    """Tell whether a function or class is of another package than the one asked about, and judged by its module."""
    return found.__module__.partition(".")[0] != function.__module__.partition(".")[0]


def _judge_module(name: str, function: FunctionType) -> None:
    home = name.partition(".")[0].lstrip("_")
    if home not in MODULES and home != "builtins":
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
