"""A Trino with TLS and authentication: each way in works through the session, and no secret shows anywhere."""

import json
import ssl
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from http import HTTPStatus
from http.client import HTTPException, HTTPSConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from docker.packages.health import last_words
from docker.packages.layout import HOST, Ports, Stack, find_free_ports, open_stack
from docker.packages.services import describe_trino, find_process, start_service, stop_service
from tests.eventlog.logs import make_events
from tests.stack.conftest import OpenLake
from tests.stack.secure import SecureServer, write_secure_configuration
from workbench.errors import ConfigError, WorkbenchError
from workbench.session import Session

WAYS = ("basic", "jwt", "certificate")
Enter = Callable[..., Session]


@pytest.fixture(scope="module")
def server(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureServer]:
    """The secured server beside the shared one, over the same catalog and store."""
    plain, port = find_free_ports(2)
    other = open_stack(tmp_path_factory.mktemp("secure"), Ports(plain, stack.ports.catalog, stack.ports.minio))
    other = Stack(other.folder, other.ports, stack.secrets, is_brief=True)
    made = write_secure_configuration(other.folder / "etc", port)
    start_service(other, describe_trino(other, other.folder / "etc"))
    try:
        wait_for(other, made)
        yield made
    finally:
        stop_service(other, "trino")


def wait_for(stack: Stack, server: SecureServer) -> None:
    """Return once an administrator's statement has read from the catalog: SELECT 1 runs before any node may do that."""
    trust = ssl.create_default_context(cafile=str(server.ca))
    proof = b64encode(f"admin:{server.passwords['admin']}".encode()).decode()
    headers = {"Authorization": f"Basic {proof}", "X-Trino-User": "admin"}
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        assert find_process(stack, "trino") is not None, last_words(stack, "trino")
        with suppress(OSError, HTTPException):
            if has_run("SELECT count(*) FROM lake.information_schema.tables", server.port, trust, headers):
                return
        time.sleep(0.5)
    pytest.fail("the secured server does not answer")


def has_run(statement: str, port: int, trust: ssl.SSLContext, headers: dict[str, str]) -> bool:
    """Say whether a server runs a statement without an error."""
    with closing(HTTPSConnection(HOST, port, context=trust, timeout=10)) as connection:
        connection.request("POST", "/v1/statement", statement, headers)
        while True:
            reply = connection.getresponse()
            if reply.status != HTTPStatus.OK:
                return False
            page = json.loads(reply.read())
            if "error" in page:
                return False
            if "nextUri" not in page:
                return True
            connection.request("GET", urlsplit(page["nextUri"]).path, headers=headers)


@pytest.fixture
def enter(server: SecureServer, open_lake: OpenLake, monkeypatch: pytest.MonkeyPatch) -> Enter:
    """Open the test's log on the secured server in one of the ways, as a user."""

    def enter_by(auth: str, *, user: str = "admin", secret: str | None = None, verify: str | None = None) -> Session:
        files = {"certificate": str(server.certificate), "key": str(server.key)} if auth == "certificate" else {}
        given = {
            "HOST": HOST,
            "PORT": str(server.port),
            "USER": user,
            "HTTP_SCHEME": "https",
            "VERIFY": verify or str(server.ca),
            "AUTH": auth,
            "PASSWORD": secret or server.passwords.get(user, ""),
            "TOKEN": secret or server.make_token(user),
            **{name.upper(): value for name, value in files.items()},
        }
        for name, value in given.items():
            monkeypatch.setenv(f"TRINO_{name}", value)
        return open_lake(engine="trino")

    return enter_by


@pytest.fixture
def filled(open_lake: OpenLake) -> None:
    open_lake(engine="duckdb").append(make_events(0, 5))


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("auth", WAYS)
def test_each_way_in_reads_the_log_and_shows_no_secret(auth: str, enter: Enter, server: SecureServer) -> None:
    session = enter(auth)
    assert session.events().height == 5
    shown = f"{session!r} {session.settings!r} {session.engine!r} {vars(session.engine)!r} {session.basis()!r}"
    assert server.passwords["admin"] not in shown
    assert "eyJ" not in shown


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(("auth", "secret"), [("basic", "wrong-password"), ("jwt", "eyJ.wrong.token")])
def test_a_wrong_secret_is_refused_by_name_of_the_setting_and_not_repeated(
    auth: str, secret: str, enter: Enter
) -> None:
    with pytest.raises(WorkbenchError, match=r"refuses the credentials \(401\).*trino\.auth") as refused:
        enter(auth, secret=secret).events()
    assert secret not in str(refused.value)


@pytest.mark.usefixtures("filled")
def test_a_token_that_is_over_is_refused(enter: Enter, server: SecureServer) -> None:
    with pytest.raises(WorkbenchError, match=r"refuses the credentials \(401\)"):
        enter("jwt", secret=server.make_token("admin", lifetime=-600)).events()


@pytest.mark.usefixtures("filled")
def test_who_is_proven_to_be_one_user_cannot_be_another(enter: Enter, server: SecureServer) -> None:
    with pytest.raises(WorkbenchError, match=r"[Dd]enied|refuses"):
        enter("jwt", user="admin", secret=server.make_token("analyst")).events()


@pytest.mark.usefixtures("filled")
def test_roles_hold_behind_a_password(enter: Enter) -> None:
    seen = enter("basic", user="analyst").sql("select position, data from events_stored order by position")
    masked = enter("basic", user="masked_analyst").sql("select position, data from events_stored order by position")
    assert seen["data"].null_count() == 0
    assert masked["data"].null_count() == masked.height == 5


@pytest.mark.usefixtures("filled")
def test_an_unknown_certificate_of_the_server_is_refused(enter: Enter, tmp_path: Path) -> None:
    other = tmp_path / "ca.pem"
    (bundle := ssl.get_default_verify_paths().cafile) or pytest.skip("TLS NOT REFUSED: this machine trusts nobody")
    other.write_bytes(Path(str(bundle)).read_bytes())
    with pytest.raises(WorkbenchError, match=r"cannot be reached.*certificate"):
        enter("basic", verify=str(other)).events()


def test_a_secret_is_never_sent_in_the_open(enter: Enter, monkeypatch: pytest.MonkeyPatch, open_lake: OpenLake) -> None:
    enter("basic")
    monkeypatch.setenv("TRINO_HTTP_SCHEME", "http")
    with pytest.raises(ConfigError, match="would travel in the open"):
        open_lake(engine="trino").events()
