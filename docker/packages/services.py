"""The three servers as processes of this machine: what starts them, and what stops them again."""

import contextlib
import dataclasses
import fcntl
import os
import signal
import subprocess
import time
from pathlib import Path

from docker.packages.layout import BUCKETS, ETC, HOST, REGION, Stack, StackError
from docker.packages.parts import catalog_jars, java_home, minio_binary, trino_home

HERE = Path(__file__).parent
NAMES = ("minio", "catalog", "trino")
STOP_SECONDS = 30.0
# Children of this very process, to take leave of when they end; a later command finds them by their locks alone.
_children: dict[int, subprocess.Popen[bytes]] = {}


@dataclasses.dataclass(frozen=True)
class Service:
    """One server: its command and what it needs in its environment beside PATH and HOME."""

    name: str
    command: list[str]
    variables: dict[str, str]


def describe_services(stack: Stack) -> list[Service]:
    """Return the servers in the order they start."""
    return [describe_minio(stack), describe_catalog(stack), describe_trino(stack)]


def describe_minio(stack: Stack) -> Service:
    """Return MinIO on one folder; a folder in it is a bucket."""
    data = stack.folder / "minio"
    for bucket in BUCKETS:
        (data / bucket).mkdir(parents=True, exist_ok=True)
    variables = {
        "MINIO_ROOT_USER": stack.secrets["access_key"],
        "MINIO_ROOT_PASSWORD": stack.secrets["secret_key"],
        "MINIO_REGION": REGION,
        "MINIO_BROWSER": "off",
        "MINIO_UPDATE": "off",
        "MINIO_CALLHOME_ENABLE": "off",
    }
    return Service(
        "minio", [str(minio_binary()), "server", str(data), "--address", f"{HOST}:{stack.ports.minio}"], variables
    )


def describe_catalog(stack: Stack) -> Service:
    """Return Apache's reference REST catalog over a SQLite file."""
    java = [str(java_home() / "bin" / "java"), "-Xmx512m", "-XX:+UseSerialGC", "-cp", f"{catalog_jars()}/*"]
    # At its own level it writes several lines for each request: 40 MB in an hour of tests.
    java.insert(1, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")
    variables = {
        "CATALOG_REST_HOST": HOST,
        "CATALOG_REST_PORT": str(stack.ports.catalog),
        # Writers wait for each other; SQLite's own three seconds are short for a busy machine.
        "CATALOG_URI": f"jdbc:sqlite:{stack.folder}/catalog.db?busy_timeout=30000&journal_mode=WAL",
        "CATALOG_WAREHOUSE": "s3://lake/",
        "CATALOG_S3_ENDPOINT": stack.s3_url,
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": stack.secrets["access_key"],
        "AWS_SECRET_ACCESS_KEY": stack.secrets["secret_key"],
    }
    return Service(
        "catalog", [*java, "org.eclipse.jetty.xml.XmlConfiguration", str(HERE / "catalog-server.xml")], variables
    )


def describe_trino(stack: Stack, etc: Path = ETC) -> Service:
    """Return Trino with the configuration that compose.yaml reads too."""
    data = stack.folder / "trino"
    data.mkdir(parents=True, exist_ok=True)
    launcher = [str(trino_home() / "bin" / "launcher"), "--etc-dir", str(etc), "--data-dir", str(data)]
    if stack.is_brief:
        # Without the optimising compiler a start takes 17 s of one core instead of 28.
        launcher += ["-J", "-XX:TieredStopAtLevel=1"]
    variables = {
        "JAVA_HOME": str(java_home()),
        "PATH": f"{java_home() / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "TRINO_HTTP_PORT": str(stack.ports.trino),
        "TRINO_BIND_ADDRESS": HOST,
        "TRINO_SPOOLING_KEY": stack.secrets["spooling_key"],
        "TRINO_SPOOLING_RETRIEVAL": "STORAGE",
        "TRINO_SPOOLING_ENCRYPTION": "false",
        "REST_CATALOG_URI": stack.catalog_url,
        "S3_ENDPOINT": stack.s3_url,
        "S3_REGION": REGION,
        "S3_ACCESS_KEY_ID": stack.secrets["access_key"],
        "S3_SECRET_ACCESS_KEY": stack.secrets["secret_key"],
    }
    return Service("trino", [*launcher, "run"], variables)


def start_service(stack: Stack, service: Service) -> None:
    """Start one server in a process group of its own, its words in ``NAME.log``, unless it runs already.

    The server inherits a locked file and so holds the lock for as long as it lives: that is how it is found again.
    """
    if find_process(stack, service.name) is not None:
        return
    variables = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    with lock_file(stack, service.name).open("a+") as lock, log_file(stack, service.name).open("ab") as log:
        fcntl.flock(lock, fcntl.LOCK_EX)
        started = subprocess.Popen(
            service.command,
            cwd=stack.folder,
            env=variables | service.variables,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=(lock.fileno(),),
        )
        _children[started.pid] = started
        lock.truncate(0)
        lock.write(str(started.pid))


def stop_service(stack: Stack, name: str, *, kill: bool = False) -> None:
    """Stop one server that this stack started: politely, and after 30 seconds by force (``kill``: at once)."""
    pid = find_process(stack, name)
    if pid is None:
        return
    signal_group(pid, signal.SIGKILL if kill else signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while find_process(stack, name) is not None or is_alive(pid):
        if time.monotonic() > deadline:
            signal_group(pid, signal.SIGKILL)
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    """Whether a process has not quite ended: its own lock may outlive the one it inherited by a moment."""
    if pid in _children:
        return _children[pid].poll() is None
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def signal_group(pid: int, number: signal.Signals) -> None:
    """Send a signal to a server and what it started."""
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return
    except PermissionError as error:
        raise StackError(
            f"Process {pid} belongs to another user; stop the stack as the user who started it."
        ) from error


def find_process(stack: Stack, name: str) -> int | None:
    """Return the id of a running server of this stack; None once it has ended, whatever its number means by then."""
    with contextlib.suppress(FileNotFoundError), lock_file(stack, name).open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return int(lock.read() or 0) or None
    return None


def lock_file(stack: Stack, name: str) -> Path:
    """Return the file that a running server holds locked, its process id inside."""
    return stack.folder / f"{name}.pid"


def log_file(stack: Stack, name: str) -> Path:
    """Return the file a server's words go to."""
    return stack.folder / f"{name}.log"
