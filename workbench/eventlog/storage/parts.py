"""Say which part of a lake failed: its catalog or its object store, and how, without the driver's own words."""

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
import requests
from pyiceberg.exceptions import (
    AuthorizationExpiredError,
    BadRequestError,
    CommitStateUnknownException,
    ForbiddenError,
    OAuthError,
    RESTError,
    ServerError,
    ServiceUnavailableError,
    TooManyRequestsError,
    UnauthorizedError,
)

LOGINS: Final = (UnauthorizedError, AuthorizationExpiredError, OAuthError)
UNANSWERED: Final = (CommitStateUnknownException, ServerError, ServiceUnavailableError, TooManyRequestsError)
# Arrow's words for what S3 answered: "AWS Error ACCESS_DENIED during PutObject operation: …".
_AWS: Final = re.compile(r"AWS Error (?P<code>\[code \d+\]|\w+)")
_KEYS: Final = ("ACCESS_DENIED", "INVALID_ACCESS_KEY_ID", "SIGNATURE_DOES_NOT_MATCH", "INVALID_CLIENT_TOKEN_ID")
_AWAY: Final = ("NETWORK_CONNECTION", "REQUEST_TIMEOUT", "SERVICE_UNAVAILABLE", "INTERNAL_FAILURE", "SLOW_DOWN")
# PyIceberg's words for an answer that is not the protocol's.
_NOT_REST: Final = "unexpected JSON Payload"
LONGEST: Final = 200


class Places(msgspec.Struct, frozen=True):
    """What a lake's parts are called in messages: with their addresses, which their own errors do not tell."""

    catalog: str = "the catalog"
    store: str = "the object store"


NOWHERE: Final = Places()


def store_address(properties: Mapping[str, Any]) -> str | None:
    """Return scheme, host and port of the object store that a catalog or a table names; None for its vendor's own."""
    return _place(str(properties.get("s3.endpoint") or ""))


def find_places(properties: Mapping[str, Any]) -> Places:
    """Return the parts that a catalog's or a table's properties name: scheme, host and port, and nothing secret."""
    catalog, store = _place(str(properties.get("uri") or "")), store_address(properties)
    return Places(
        f"the catalog at {catalog}" if catalog else NOWHERE.catalog,
        f"the object store at {store}" if store else NOWHERE.store,
    )


def explain_part(error: BaseException, places: Places = NOWHERE) -> str | None:
    """Return which part failed and how, as the middle of a sentence; None where no part of a lake is at fault."""
    if isinstance(error, requests.RequestException):
        return f"the catalog at {_address(error)} {_silence(error)}"
    if isinstance(error, RESTError):
        return _refusal(error, places.catalog)
    if isinstance(error, OSError) and (found := _AWS.search(str(error))):
        return _store(found["code"], places.store)
    return None


def remedy(error: BaseException) -> str:
    """Return what to do about an error of the storage, as the end of a sentence."""
    if isinstance(error, (*LOGINS, ForbiddenError)):
        return "check the catalog's token, credential or certificate in PyIceberg's configuration, then do it again."
    if isinstance(error, RESTError) and is_refusal(error):
        return "the catalog's own log says more."
    found = _AWS.search(str(error)) if isinstance(error, OSError) else None
    if found and found["code"] in _KEYS:
        return "check s3.access-key-id and s3.secret-access-key in PyIceberg's configuration, then do it again."
    if found or isinstance(error, (requests.RequestException, RESTError)):
        return "do it again when it is back."
    return "free space or mend the permission, then do it again."


def is_unavailable(error: BaseException) -> bool:
    """Return whether the object store is away or lets nobody in, which says nothing about the files it holds."""
    found = _AWS.search(str(error)) if isinstance(error, OSError) else None
    return found is not None and found["code"] in (*_KEYS, *_AWAY)


def is_refusal(error: BaseException) -> bool:
    """Return whether a part answered that it will not do what was asked, so that nothing of it took effect."""
    return isinstance(error, (*LOGINS, ForbiddenError, BadRequestError))


def _address(error: requests.RequestException) -> str:
    """Return scheme, host and port alone: a URI may carry a password, and its query a token."""
    return _place(str(getattr(error.request, "url", "") or "")) or "its address"


def _place(address: str) -> str | None:
    url = urlsplit(address)
    return f"{url.scheme}://{url.hostname}{f':{url.port}' if url.port else ''}" if url.hostname else None


def _silence(error: requests.RequestException) -> str:
    if isinstance(error, requests.ReadTimeout):
        return "does not answer in time"
    if isinstance(error, requests.exceptions.SSLError):
        return "cannot be trusted: its certificate does not fit"
    if isinstance(error, requests.ConnectionError):
        return "cannot be reached"
    return "gave no proper answer"


def _refusal(error: RESTError, name: str) -> str:
    if isinstance(error, LOGINS):
        return f"{name} refuses this login"
    if isinstance(error, ForbiddenError):
        return f"{name} forbids it to this login"
    verb = "failed" if isinstance(error, UNANSWERED) else "refuses"
    first = (str(error).splitlines() or [""])[0][:LONGEST]
    if _NOT_REST in first:
        return f"{name} gave no proper answer: see that its address is that of an Iceberg REST catalog"
    found = _AWS.search(first) or re.search(r"\b(S3Exception|SdkClientException|ConnectException)\b", first)
    return f"{name} {verb}, as it cannot use its object store" if found else f"{name} {verb}: {first}"


def _store(code: str, name: str) -> str:
    if code in _KEYS:
        return f"{name} refuses these keys ({code})"
    if code in _AWAY:
        return f"{name} cannot be reached ({code})"
    return f"{name} failed ({code})"
