"""Remove files that nothing reaches any more: what was merged away, and what writers left that never committed."""

import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from pyarrow.fs import FileInfo, FileSelector, FileType
from pyiceberg.io import FileIO
from pyiceberg.io.pyarrow import PyArrowFileIO
from pyiceberg.table import Table

from workbench.eventlog.files import local_path
from workbench.eventlog.index.published import index_location, read_published

# Seconds. A write of somebody else's may be under way for this long between its first file and its commit.
LONGEST_WRITE: Final = 86_400.0
INDEX_MARK: Final = "mark"


def remove_unreached(table: Table, older_than: float) -> list[int]:
    """Remove files in a table's folder that neither its metadata nor a kept snapshot reaches; return their sizes.

    Files younger than ``older_than`` seconds stay. What is there is listed first and what is reached asked after that,
    so that a commit in between can only spare a file.
    """
    found = list(_list(table.io, str(table.metadata.location), older_than))
    if not found:
        return []
    reached = {local_path(path) for path in reached_files(table.refresh())}
    return _remove(table.io, [(path, size) for path, size in found if local_path(path) not in reached])


def remove_stale_runs(table: Table, older_than: float) -> list[int]:
    """Remove published runs of the index that its mark no longer names; return their sizes."""
    found = list(_list(table.io, index_location(table), older_than))
    published = read_published(table)
    named = {INDEX_MARK, *(() if published is None else published.sizes)}
    return _remove(table.io, [(path, size) for path, size in found if path.rpartition("/")[2] not in named])


def remove_folders(folders: Iterable[Path]) -> list[int]:
    """Remove local folders; return the sizes of the files in them."""
    import shutil

    removed = []
    for folder in folders:
        removed += [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
        shutil.rmtree(folder, ignore_errors=True)
    return removed


def _list(files: FileIO, location: str, older_than: float) -> Iterator[tuple[str, int]]:
    """Yield the address and size of each file below a place that is older than so many seconds, by the store's clock.

    Addresses have the scheme the place was named with.
    """
    # Listing is Arrow's, whatever way PyIceberg is set to read and write by.
    arrow = files if isinstance(files, PyArrowFileIO) else PyArrowFileIO(files.properties)
    scheme, netloc, path = PyArrowFileIO.parse_location(location, arrow.properties)
    limit = time.time() - older_than
    selector = FileSelector(path, recursive=True, allow_not_found=True)
    listed: list[FileInfo] = arrow.fs_by_scheme(scheme, netloc).get_file_info(selector)
    for info in listed:
        if info.type == FileType.File and info.mtime is not None and info.mtime.timestamp() <= limit:
            yield f"{scheme}://{info.path}", int(info.size)


def _remove(files: FileIO, found: Iterable[tuple[str, int]]) -> list[int]:
    removed = []
    for path, size in found:
        with suppress(FileNotFoundError):
            files.delete(path)
            removed.append(size)
    return removed


def reached_files(table: Table) -> set[str]:
    """Return every file that the table's metadata or one of its snapshots names."""
    metadata = table.metadata
    reached = {table.metadata_location, *(entry.metadata_file for entry in metadata.metadata_log)}
    reached.update(file.statistics_path for file in metadata.statistics)
    for snapshot in table.snapshots():
        reached.add(snapshot.manifest_list)
        for manifest in snapshot.manifests(table.io):
            reached.add(manifest.manifest_path)
            reached.update(entry.data_file.file_path for entry in manifest.fetch_manifest_entry(table.io))
    return reached
