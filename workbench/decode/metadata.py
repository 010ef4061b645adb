"""The metadata's texts: the salt, where in its file the record stood, then whatever else came with the event."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from workbench.decode.arrays import cut_evenly
from workbench.decode.digests import SALT_SIZE

BEFORE_SALT: Final = b'{"salt":"'
ORIGIN: Final = "ingested_from"
POWERS: Final = 10 ** np.arange(19, dtype=np.int64)
ABSENT: Final = -1
# A form is the number of digits of an offset times this, plus those of the line; NO_PLACE leaves both out.
FORMS: Final = 32
NO_PLACE: Final = 0

Numbers = NDArray[np.int64]
Rows = NDArray[np.intp]


class Places:
    """Where records stood in ``file``: the byte, the line where it has one, and for which of them to say so."""

    def __init__(
        self,
        file: str,
        offsets: Sequence[int] | Numbers,
        lines: Sequence[int | None] | Numbers | None,
        told: Sequence[bool] | None = None,
    ) -> None:
        self.file = file
        self.offsets = np.asarray(offsets, np.int64)
        self.lines = read_lines(lines, len(self.offsets))
        widths = count_digits(self.offsets) * FORMS + count_digits(self.lines)
        self.forms = widths if told is None else np.where(told, widths, NO_PLACE)


def read_lines(lines: Sequence[int | None] | Numbers | None, count: int) -> Numbers:
    """Return the lines as numbers, `ABSENT` where there is none."""
    if lines is None:
        return np.full(count, ABSENT, np.int64)
    if isinstance(lines, np.ndarray) or None not in lines:
        return np.asarray(lines, np.int64)
    return np.asarray([ABSENT if line is None else line for line in lines], np.int64)


def count_digits(numbers: Numbers) -> Rows:
    """Return how many digits each number has, none for one that is absent."""
    if len(numbers) > 1 and (least := int(numbers.min())) >= 0 and len(str(least)) == len(str(int(numbers.max()))):
        return np.full(len(numbers), len(str(least)))
    return np.where(numbers < 0, 0, np.maximum(np.searchsorted(POWERS, numbers, side="right"), 1))


def find_told(rests: Sequence[str], imported: Sequence[Any]) -> list[bool] | None:
    """Tell of which records the place is to be told, None for all.

    Not of imports, where the log does it beside the time it took them in, nor of what tells a place of its own.
    """
    own = {rest for rest in set(rests) if f'"{ORIGIN}":' in rest}
    if not own and not any(imported):
        return None
    return [moment is None and rest not in own for moment, rest in zip(imported, rests, strict=True)]


def write_metadata(salts: bytes, rests: Sequence[str] | str | pa.Array, places: Places | None = None) -> pa.Array:
    """Return the texts; ``rests`` end them (one may end them all), without the brace they would begin with.

    Texts of one form are written at once: 0.1 µs a text instead of 0.9.
    """
    digits = np.frombuffer(salts.hex().encode(), np.uint8).reshape(-1, 2 * SALT_SIZE)
    end = find_end(rests)
    forms = np.full(len(digits), NO_PLACE) if places is None else places.forms
    texts = write_forms(forms, digits, end or "", places)
    return texts if end is not None else pc.binary_join_element_wise(texts, write_ends(rests), "")


def write_forms(forms: Rows, salts: NDArray[np.uint8], end: str, places: Places | None) -> pa.Array:
    """Return the texts of rows by the forms of their places."""
    found = forms[:1] if (forms == forms[:1]).all() else np.unique(forms)
    rows = [np.flatnonzero(forms == form) if len(found) > 1 else slice(None) for form in found]
    parts = [write_form(int(form), salts, end, places, which) for form, which in zip(found, rows, strict=True)]
    if len(parts) == 1:
        return parts[0]
    order = np.argsort(np.concatenate([np.empty(0, np.intp), *rows]))
    return pa.concat_arrays([pa.array([], pa.string()), *parts]).take(pa.array(order))


def find_end(rests: Sequence[str] | str | pa.Array) -> str | None:
    """Return the text that ends all, None where they differ."""
    if isinstance(rests, pa.Array):
        return None
    found = {rests} if isinstance(rests, str) else set(rests)
    return begin_end(found.pop()) if len(found) == 1 else None


def begin_end(rest: str) -> str:
    """Return the text that ends what the salt begins."""
    return rest if rest == "}" else "," + rest


def write_ends(rests: Sequence[str] | pa.Array) -> pa.Array:
    """Return the texts that end each; those of a column all hold a member."""
    if isinstance(rests, pa.Array):
        return pc.binary_join_element_wise(",", rests, "")
    ends = {rest: begin_end(rest) for rest in set(rests)}
    return pa.array([ends[rest] for rest in rests], pa.string())


def write_form(form: int, salts: NDArray[np.uint8], end: str, places: Places | None, rows: Rows | slice) -> pa.Array:
    """Return the texts of those rows, whose places have one form."""
    salts = salts[rows]
    text = BEFORE_SALT + bytes(2 * SALT_SIZE) + b'"'
    numbers: list[tuple[int, int, Numbers]] = []
    if places is not None and form != NO_PLACE:
        width, line_width = divmod(form, FORMS)
        text += b',"%b":{"file":%b,"offset":' % (ORIGIN.encode(), msgspec.json.encode(places.file))
        numbers.append((len(text), width, places.offsets[rows]))
        text += bytes(width)
        if line_width:
            text += b',"line":'
            numbers.append((len(text), line_width, places.lines[rows]))
            text += bytes(line_width)
        text += b"}"
    text += end.encode()
    whole = np.empty((len(salts), len(text)), np.uint8)
    whole[:] = np.frombuffer(text, np.uint8)
    begin = len(BEFORE_SALT)
    whole[:, begin : begin + 2 * SALT_SIZE] = salts
    for at, width, values in numbers:
        whole[:, at : at + width] = write_digits(values, width)
    return cut_evenly(whole, len(salts), len(text))


def write_digits(numbers: Numbers, width: int) -> NDArray[np.uint8]:
    """Return the digits of numbers that all have so many: 2 ns a digit, where the remainder takes 6."""
    digits = np.empty((width, len(numbers)), np.uint8)
    for place in reversed(range(width)):
        rest = numbers // 10
        digits[place] = numbers - rest * 10
        numbers = rest
    return (digits + np.uint8(ord("0"))).T
