"""Where benchmarks put their files: folders that go away, and a cache of what is slow to make."""

import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

MARK: Final = "complete.json"


def cache_folder() -> Path:
    """Return ``$WORKBENCH_BENCH_CACHE``, else a folder in the user's cache; never one in the repository."""
    named = os.environ.get("WORKBENCH_BENCH_CACHE")
    user = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = Path(named) if named else user / "eventlog-workbench" / "benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Yield a folder on the cache's disk (``/tmp`` may be memory) that is removed when the block ends."""
    runs = cache_folder() / "runs"
    runs.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=runs, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def cached_folder(name: str, parameters: Mapping[str, Any], build: Callable[[Path], Any]) -> Path:
    """Return a folder made by ``build``, or the one made before under the same name and parameters.

    It is built where it stays, because Iceberg's metadata holds absolute paths; a mark written last tells a whole
    folder from one whose build broke off.
    """
    digest = hashlib.sha256(json.dumps(parameters, sort_keys=True, default=str).encode()).hexdigest()[:12]
    folder = cache_folder() / f"{name}-{digest}"
    mark = folder / MARK
    if not mark.is_file():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        print(f"building {folder} once; later runs use it again ...", file=sys.stderr, flush=True)
        begin = time.perf_counter()
        build(folder)
        facts = {"parameters": dict(parameters), "seconds": round(time.perf_counter() - begin, 1)}
        mark.write_text(json.dumps(facts, default=str), encoding="utf-8")
    return folder


def is_cached(name: str, parameters: Mapping[str, Any]) -> bool:
    """Return whether `cached_folder` would have nothing to build."""
    digest = hashlib.sha256(json.dumps(parameters, sort_keys=True, default=str).encode()).hexdigest()[:12]
    return (cache_folder() / f"{name}-{digest}" / MARK).is_file()


def restore(kept: Path, place: Path) -> None:
    """Make ``place`` what ``kept`` holds, whatever stands there."""
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(kept, place)


def folder_bytes(folder: Path) -> int:
    """Return the sizes of all files below ``folder``, added up."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
