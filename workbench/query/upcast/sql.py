"""What stands at a path of a lifted payload, as an expression over the payload as it was written.

The steps of each older version are walked backwards: a member that was renamed is read where it stood, a default steps
in where nothing was, a split takes its part. So an engine that cannot call our upcasters reads one member of an old
payload without lifting it. The expressions are of the declared subset, over the columns event_type, schema_version and
data of `events_stored`, and give on each engine what `events` gives there.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Final, Literal

from workbench.decode.registry import EventType, Registry
from workbench.decode.steps import Step
from workbench.query.upcast.states import LONGEST, State, UnknownError, lift_state
from workbench.query.upcast.text import NULL, all_of, case, quote_text

Wanted = Literal["scalar", "json", "exists"]
_TYPED_NULL: Final = "cast(null as varchar)"


def compile_path(
    registry: Registry,
    path: Sequence[str],
    *,
    event_types: Collection[str] | None = None,
    form: Wanted = "scalar",
    alias: str | None = None,
) -> str | None:
    """Return the expression of what stands at a path of a lifted payload, None where SQL cannot say it.

    ``path`` lists members' names. ``form`` "scalar" equals json_extract_scalar of the lifted payload; "json" the text
    json_format(json_extract(…)) of it, NULL where the member is absent and 'null' where it is null; "exists" tells
    whether it is there. The expression holds for events of ``event_types``, for all where None. ``alias`` goes before
    the columns. None is given where a step is a Python function, where a name is one that the engines read differently
    (a number, quotes), for the JSON of an object that a step changes inside, and where the expression would be over
    20,000 characters: then ask `events`.

    >>> from workbench.decode.registry import EMPTY
    >>> print(compile_path(EMPTY, ["customer", "name"]))
    json_extract_scalar(data, '$.customer.name')
    """
    stored = State(alias)
    kinds = [kind for name, kind in sorted(registry.types.items()) if event_types is None or name in event_types]
    is_alone = event_types is not None and len(set(event_types)) == 1
    prefix = "" if alias is None else f"{alias}."
    try:
        plain = stored.find(tuple(path), form)
        branches = [
            (f"{prefix}schema_version in ({versions})", text)
            if is_alone
            else (
                all_of(f"{prefix}event_type = {quote_text(kind.name)}", f"{prefix}schema_version in ({versions})"),
                text,
            )
            for kind in kinds
            for versions, text in _list_older(kind, stored, tuple(path), form)
            if text != plain
        ]
    except UnknownError:
        return None
    text = case(branches, plain)
    return (_TYPED_NULL if text == NULL else text) if len(text) <= LONGEST else None


def _list_older(kind: EventType, stored: State, path: tuple[str, ...], form: Wanted) -> Iterator[tuple[str, str]]:
    """Yield the older versions of a type that have one expression, and that expression."""
    texts: dict[str, list[int]] = {}
    for version in range(kind.first, kind.current):
        text = lift_state(stored, _list_steps(kind, version)).find(path, form)
        texts.setdefault(text, []).append(version)
    for text, versions in texts.items():
        yield ", ".join(map(str, versions)), text


def _list_steps(kind: EventType, version: int) -> Iterator[Step]:
    while version < kind.current:
        yield from kind.hops[version].steps
        version = kind.hops[version].end
