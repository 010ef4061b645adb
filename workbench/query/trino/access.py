"""The way to a Trino server: who asks, over which connection, and with which of the client's own ways to prove it."""

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec

from workbench.config import TrinoSettings
from workbench.errors import ConfigError, MissingExtraError

if TYPE_CHECKING:
    from requests import Session
    from trino.auth import Authentication

ENCODINGS: Final = ["json+zstd", "json"]
# Seconds to connect, and to wait for the next bytes: the server answers a poll within one.
TIMEOUTS: Final = (10.0, 60.0)
CONNECTIONS: Final = 32
SOURCE: Final = "eventlog-workbench"


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """A Trino server: the client's own request maker, how messages name the place, whose certificates are trusted.

    ``headers`` go with each statement.
    """

    request: Any
    place: str
    verify: bool | str
    close: Callable[[], None]
    headers: Mapping[str, str | None]


def open_server(settings: TrinoSettings, environment: Mapping[str, str] = os.environ) -> Server:
    """Return a server that nothing was asked of yet. Raises ConfigError naming the setting, MissingExtraError."""
    try:
        from requests.adapters import HTTPAdapter
        from trino.client import ClientSession, TrinoRequest
        from trino.constants import HEADER_ENCODING
    except ImportError as error:
        raise MissingExtraError(
            "engine='trino' needs Trino's client. Install it with: pip install 'eventlog-workbench[trino]'"
        ) from error
    session = _open_session(settings)
    for prefix in ("http://", "https://"):
        session.mount(prefix, HTTPAdapter(pool_connections=CONNECTIONS, pool_maxsize=CONNECTIONS))
    request = TrinoRequest(
        host=settings.host,
        port=settings.port,
        client_session=ClientSession(
            user=settings.user, source=SOURCE, catalog=settings.catalog, timezone="UTC", encoding=ENCODINGS
        ),
        http_session=session,
        http_scheme=settings.http_scheme,
        auth=_open_auth(settings, environment),
        # Which requests may be sent again is for the fetch to say: a statement is not, once the server may have it.
        max_attempts=1,
        request_timeout=TIMEOUTS,
    )
    return Server(
        request=request,
        place=f"{settings.http_scheme}://{settings.host}:{settings.port}",
        verify=settings.verify,
        close=session.close,
        # A header of None is not sent: the server then gives its rows itself.
        headers={} if settings.spooled else {HEADER_ENCODING: None},
    )


def _open_session(settings: TrinoSettings) -> "Session":
    from requests import Session

    class TrustingSession(Session):
        """Trusts what trino.verify names: REQUESTS_CA_BUNDLE, which many machines set, would else take its place."""

        def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
            chosen = self.verify if verify is None else verify
            return super().merge_environment_settings(url, proxies, stream, chosen, cert)

    session = TrustingSession()
    session.verify = settings.verify
    return session


def _open_auth(settings: TrinoSettings, environment: Mapping[str, str]) -> "Authentication | None":
    from trino.auth import BasicAuthentication, CertificateAuthentication, JWTAuthentication, OAuth2Authentication

    auth = settings.auth
    if auth == "none":
        return None
    if settings.http_scheme != "https":
        raise ConfigError(
            f"trino.auth is {auth!r} and trino.http_scheme is {settings.http_scheme!r}: a secret would travel in the "
            'open. Set http_scheme = "https" under [trino], or TRINO_HTTP_SCHEME=https.'
        )
    if auth == "basic":
        return BasicAuthentication(settings.user, _secret("TRINO_PASSWORD", auth, environment))
    if auth == "jwt":
        return JWTAuthentication(_secret("TRINO_TOKEN", auth, environment))
    if auth == "certificate":
        if settings.certificate is None or settings.key is None:
            raise ConfigError(
                "trino.auth is 'certificate' and needs two files. Set certificate and key under [trino], or "
                "TRINO_CERTIFICATE and TRINO_KEY."
            )
        return CertificateAuthentication(str(settings.certificate), str(settings.key))
    return OAuth2Authentication()


def _secret(name: str, auth: str, environment: Mapping[str, str]) -> str:
    value = environment.get(name, "")
    if not value:
        raise ConfigError(f"trino.auth is {auth!r} and the variable {name} is empty. Set it; no file holds a secret.")
    return value
