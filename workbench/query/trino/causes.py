"""Say which part behind a Trino server made a statement fail: its catalog or its object store, and how."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

_CATALOG: Final = "org.apache.iceberg.exceptions."
_STORE: Final = "software.amazon.awssdk."
# What the causes of a failure are called in Java; the deepest come last.
_LOGINS: Final = (f"{_CATALOG}NotAuthorizedException", f"{_CATALOG}ForbiddenException")
_SILENT: Final = (
    f"{_CATALOG}RESTException",
    f"{_CATALOG}ServiceFailureException",
    f"{_CATALOG}ServiceUnavailableException",
)
_KEYS: Final = re.compile(r"\(Service: S3, Status Code: 40[13]\b")
_AWAY: Final = re.compile(r"\(Service: S3, Status Code: 5\d\d\b")
_CONNECTED: Final = re.compile(r"Connect to (?P<place>[\w.:/\[\]-]+)")


class Cause(msgspec.Struct, frozen=True):
    """Which part failed and how, as the middle of a sentence, and whether it may well answer the next time."""

    words: str
    is_away: bool


def find_cause(failure: Mapping[str, Any] | None) -> Cause | None:
    """Return the part that a failure's causes point to; None where the statement itself is at fault."""
    causes = [(str(cause.get("type", "")), str(cause.get("message") or "")) for cause in _walk(failure)]
    place = next((f" at {found['place']}" for _, said in causes if (found := _CONNECTED.search(said))), "")
    for kind, said in causes:
        if kind in _LOGINS:
            return Cause("the catalog refuses the login that the server has for it", is_away=False)
        if kind in _SILENT:
            return Cause(f"its catalog{place} cannot be reached or failed", is_away=True)
        if kind.startswith(_STORE) and _KEYS.search(said):
            return Cause("the object store refuses the keys that the server has for it", is_away=False)
        if kind.startswith(_STORE) and (kind.endswith(".SdkClientException") or _AWAY.search(said)):
            return Cause(f"its object store{place} cannot be reached or failed", is_away=True)
    return None


def _walk(failure: Mapping[str, Any] | None) -> Iterator[Mapping[str, Any]]:
    while failure:
        yield failure
        failure = failure.get("cause")
