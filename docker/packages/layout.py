"""Where one stack lives: its folder, its ports, its secrets, and the cache all stacks share."""

import dataclasses
import functools
import hashlib
import json
import os
import secrets
import socket
from base64 import b64encode
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ETC = ROOT / "docker" / "trino" / "etc"
HOST = "127.0.0.1"
REGION = "us-east-1"
BUCKETS = ("lake", "spool")


class StackError(Exception):
    """What went wrong, in a sentence that names the part and what to do next."""


class UnavailableError(StackError):
    """A part of the stack cannot be had on this machine."""


@dataclasses.dataclass(frozen=True)
class Ports:
    """The ports on 127.0.0.1 a stack listens on."""

    trino: int = 8080
    catalog: int = 8181
    minio: int = 9000

    @classmethod
    def parse(cls, text: str) -> "Ports":
        """Return the ports of ``TRINO,CATALOG,MINIO``, or three that are free now for ``free``."""
        if text == "free":
            return cls(*find_free_ports(3))
        try:
            trino, catalog, minio = (int(port) for port in text.split(","))
        except ValueError as error:
            raise StackError(
                f"The ports {text!r} are not three numbers; write --ports 8080,8181,9000 or free."
            ) from error
        return cls(trino, catalog, minio)


@dataclasses.dataclass(frozen=True)
class Stack:
    """One stack: the folder with its data, logs and secrets, and the ports of its parts.

    One that is brief starts fast rather than runs fast, for tests that stop it soon.
    """

    folder: Path
    ports: Ports
    secrets: dict[str, str]
    is_brief: bool = False

    @property
    def trino_url(self) -> str:
        """The address of Trino."""
        return f"http://{HOST}:{self.ports.trino}"

    @property
    def catalog_url(self) -> str:
        """The address of the REST catalog."""
        return f"http://{HOST}:{self.ports.catalog}"

    @property
    def s3_url(self) -> str:
        """The address of MinIO."""
        return f"http://{HOST}:{self.ports.minio}"

    def client_variables(self) -> dict[str, str]:
        """Return what a client needs in its environment: PyIceberg's catalog ``lake`` and Trino's address."""
        lake = {
            "TYPE": "rest",
            "URI": self.catalog_url,
            "S3__ENDPOINT": self.s3_url,
            "S3__ACCESS_KEY_ID": self.secrets["access_key"],
            "S3__SECRET_ACCESS_KEY": self.secrets["secret_key"],
            "S3__REGION": REGION,
            "S3__PATH_STYLE_ACCESS": "true",
        }
        trino = {"TRINO_HOST": HOST, "TRINO_PORT": str(self.ports.trino), "TRINO_USER": "admin"}
        return {f"PYICEBERG_CATALOG__LAKE__{name}": value for name, value in lake.items()} | trino


def find_free_ports(count: int) -> list[int]:
    """Return ports nobody listens on now, all held at once so that they differ."""
    held = [socket.create_server((HOST, 0)) for _ in range(count)]
    ports = [server.getsockname()[1] for server in held]
    for server in held:
        server.close()
    return ports


@functools.cache
def cache_folder() -> Path:
    """Return where downloads and builds are kept: under the user's cache as it was when first asked.

    STACK_CACHE names another place; the tests set it, as their own cache is another for each run.
    """
    if named := os.environ.get("STACK_CACHE"):
        return Path(named)
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(home).expanduser() / "eventlog-workbench" / "stack"


def read_configuration() -> str:
    """Return the digest of what Trino reads from this repository, to tell whether a running one reads the same."""
    digest = hashlib.sha256()
    for file in sorted(path for path in ETC.rglob("*") if path.is_file()):
        digest.update(file.relative_to(ETC).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def default_folder() -> Path:
    """Return the folder of the stack that is meant when none is named."""
    return cache_folder() / "run"


def open_stack(folder: Path | None = None, ports: Ports | None = None) -> Stack:
    """Return the stack of a folder, with secrets made at random the first time and then kept (mode 600).

    Without ``ports`` those it last had, or the usual ones.
    """
    folder = (folder or default_folder()).expanduser().resolve()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = folder / "stack.json"
    kept = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    stack = Stack(
        folder=folder,
        ports=ports or Ports(**kept.get("ports", {})),
        secrets=kept.get("secrets") or make_secrets(),
    )
    write_private(file, json.dumps({"ports": dataclasses.asdict(stack.ports), "secrets": stack.secrets}, indent=1))
    return stack


def make_secrets() -> dict[str, str]:
    """Return secrets of a stack's own, from the system's random numbers."""
    return {
        "access_key": "workbench" + secrets.token_hex(4),
        "secret_key": secrets.token_urlsafe(30),
        "spooling_key": b64encode(secrets.token_bytes(32)).decode(),
    }


def write_private(file: Path, text: str) -> None:
    """Write a file only its owner can read, whole or not at all."""
    part = file.with_suffix(f".{os.getpid()}.part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as stream:
        stream.write(text)
    part.replace(file)
