"""Read the parameters of a link, and write values into one: what the choices of every app share."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

from workbench.errors import ArgumentError
from workbench.views.place import LARGEST

# In a link a missing value is "~"; a value that begins with "~" has one more of them.
ABSENT: Final = "~"

Query = Mapping[str, Sequence[str]]
Reader = Callable[[str], Any]


def read_query(query: Query, readers: Mapping[str, tuple[Reader, str]], lists: Collection[str] = ()) -> dict[str, Any]:
    """Return the choices a link holds, by name; parameters of others are left alone, and of several the last counts.

    ``readers`` say how each is read and what it must be; those of ``lists`` are tuples of all values given. Raises
    ArgumentError naming the parameter and the value that cannot be read.
    """
    read: dict[str, Any] = {}
    for name, (reader, wanted) in readers.items():
        values = query.get(name)
        if not values:
            continue
        try:
            read[name] = tuple(map(reader, values)) if name in lists else reader(values[-1])
        except (ValueError, OverflowError) as error:
            raise ArgumentError(
                f"The link says {name}={values[-1]}, and {name} must be {wanted}. Nothing was asked of the log."
            ) from error
    return read


def write_value(value: str | None) -> str:
    """Return a value as a link has it: "~" for none recorded, one more of it before what begins with it."""
    return ABSENT if value is None else f"{ABSENT}{value}" if value.startswith(ABSENT) else value


def read_value(text: str) -> str | None:
    """Return the value that a link's text names."""
    return None if text == ABSENT else text.removeprefix(ABSENT)


def read_position(text: str) -> int:
    """Return a position. Raises ValueError."""
    number = int(text)
    if not 0 <= number < LARGEST:
        raise ValueError(text)
    return number


def one_of(possible: Sequence[Any]) -> tuple[Reader, str]:
    """Return a reader of the values possible, by their texts, and what it says they are."""
    named = {str(each): each for each in possible}

    def read(text: str) -> Any:
        if text not in named:
            raise ValueError(text)
        return named[text]

    return read, f"one of {', '.join(named)}"
