"""Paths into an event: a column of its envelope, or a member of its payload or metadata."""

from typing import Any, Final

import msgspec

from workbench.errors import ProjectionError

TEXTS: Final = (
    "event_id",
    "source",
    "stream_id",
    "event_type",
    "actor_id",
    "actor_kind",
    "correlation_id",
    "causation_id",
)
INTEGERS: Final = ("position", "stream_version", "schema_version")
TIMES: Final = ("occurred_at", "recorded_at")
DOCUMENTS: Final = ("data", "metadata")
ENVELOPE: Final = (*TEXTS, *INTEGERS, *TIMES)


class Path(msgspec.Struct, frozen=True):
    """A column of ``events``, and the members that lead on into its JSON.

    >>> read_path("data.customer.name")
    Path(column='data', members=('customer', 'name'))
    """

    column: str
    members: tuple[str, ...] = ()

    @property
    def in_json(self) -> bool:
        """Tell whether the path leads into a payload or metadata."""
        return self.column in DOCUMENTS

    def __str__(self) -> str:
        return ".".join((self.column, *self.members))


def read_path(written: str | tuple[str, ...] | list[str]) -> Path:
    """Return the path that a text with dots, or a list of names, names. Raises ProjectionError.

    A list is for names that hold a dot themselves.
    """
    column, *members = written.split(".") if isinstance(written, str) else written or ("",)
    if column not in (*ENVELOPE, *DOCUMENTS) or not all(members) or (members and column in ENVELOPE):
        raise ProjectionError(
            f"{written!r} is no path of an event. Give data, data.member, metadata.member or one of "
            f"{', '.join(ENVELOPE)}."
        )
    return Path(column, tuple(members))


def find_member(value: Any, members: tuple[str, ...]) -> Any:
    """Return what the members lead to in a JSON value, UNSET where one of them is absent."""
    for name in members:
        if not isinstance(value, dict) or name not in value:
            return msgspec.UNSET
        value = value[name]
    return value
