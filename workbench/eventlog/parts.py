"""Say which part of a lake failed: its catalog or its object store, and how, without the driver's own words."""

import re
from typing import Final
from urllib.parse import urlsplit

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
LONGEST: Final = 200


def explain_part(error: BaseException) -> str | None:
    """Return which part failed and how, as the middle of a sentence; None where no part of a lake is at fault."""
    if isinstance(error, requests.RequestException):
        return f"the catalog at {_address(error)} {_silence(error)}"
    if isinstance(error, RESTError):
        return _refusal(error)
    if isinstance(error, OSError) and (found := _AWS.search(str(error))):
        return _store(found["code"])
    return None


def is_refusal(error: BaseException) -> bool:
    """Return whether a part answered that it will not do what was asked, so that nothing of it took effect."""
    return isinstance(error, (*LOGINS, ForbiddenError, BadRequestError))


def _address(error: requests.RequestException) -> str:
    """Return scheme, host and port alone: a URI may carry a password, and its query a token."""
    url = urlsplit(str(getattr(error.request, "url", "") or ""))
    return f"{url.scheme}://{url.hostname}{f':{url.port}' if url.port else ''}" if url.hostname else "its address"


def _silence(error: requests.RequestException) -> str:
    if isinstance(error, requests.ReadTimeout):
        return "does not answer in time"
    if isinstance(error, requests.exceptions.SSLError):
        return "cannot be trusted: its certificate does not fit"
    if isinstance(error, requests.ConnectionError):
        return "cannot be reached"
    return "gave no proper answer"


def _refusal(error: RESTError) -> str:
    if isinstance(error, LOGINS):
        return "the catalog refuses this login"
    if isinstance(error, ForbiddenError):
        return "the catalog forbids it to this login"
    verb = "failed" if isinstance(error, UNANSWERED) else "refuses"
    first = (str(error).splitlines() or [""])[0][:LONGEST]
    found = _AWS.search(first) or re.search(r"\b(S3Exception|SdkClientException|ConnectException)\b", first)
    return f"the catalog {verb}, as it cannot use its object store" if found else f"the catalog {verb}: {first}"


def _store(code: str) -> str:
    if code in _KEYS:
        return f"the object store refuses these keys ({code})"
    if code in _AWAY:
        return f"the object store cannot be reached ({code})"
    return f"the object store failed ({code})"
