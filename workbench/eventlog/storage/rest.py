"""The REST catalog as a log needs it: no call hangs, one answer a look, and what a lost reply hid is found again."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import msgspec
import requests
from pyiceberg.catalog.rest import (
    SNAPSHOT_LOADING_MODE,
    Endpoints,
    RestCatalog,
    TableResponse,
)
from pyiceberg.catalog.rest.response import _handle_non_200_response
from pyiceberg.exceptions import CommitFailedException, NoSuchTableError
from pyiceberg.io import PY_IO_IMPL, FileIO
from pyiceberg.table import CommitTableResponse, Table
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.update import AddSnapshotUpdate, TableRequirement, TableUpdate
from pyiceberg.typedef import EMPTY_DICT, Identifier, Properties

from workbench.eventlog.storage.uploads import ObjectFileIO

# Seconds until a connection stands and until an answer begins; PyIceberg itself waits for ever.
CONNECT_TIMEOUT: Final = 5.0
TIMEOUT: Final = "workbench.timeout"
DEFAULT_TIMEOUT: Final = 30.0
# A login that has run out: unauthorized, and the number Iceberg's REST gave it.
_EXPIRED: Final = (401, 419)
STORES: Final = 16
OWN_PROPERTIES: Final = ("workbench.", "write.", "commit.", "history.")


class _Loaded(msgspec.Struct, frozen=True):
    """A table as the catalog last gave it, and the tag by which it can be asked whether that has changed."""

    table: Table
    tag: str | None


class _Where(msgspec.Struct, frozen=True):
    """The one member of an answer that says whether the rest is known already."""

    metadata_location: str = msgspec.field(name="metadata-location")
    config: Mapping[str, str] | None = None
    credentials: Any = msgspec.field(name="storage-credentials", default=None)


class LakeCatalog(RestCatalog):
    """PyIceberg's REST catalog with time-outs, tables known from an earlier look, and shared connections to the store.

    The catalog's own property ``workbench.timeout`` says for how many seconds an answer is waited for (30).
    """

    def __init__(self, name: str, **properties: str) -> None:
        self._loaded: dict[Identifier, _Loaded] = {}
        self._stores: dict[frozenset[tuple[str, str]], FileIO] = {}
        self.clock_offset: float | None = None
        super().__init__(name, **properties)

    def _create_session(self) -> requests.Session:
        session = super()._create_session()
        send = session.send
        limits = (CONNECT_TIMEOUT, float(self.properties.get(TIMEOUT, DEFAULT_TIMEOUT)))

        def send_in_time(request: requests.PreparedRequest, **options: Any) -> requests.Response:
            return send(request, **{**options, "timeout": options.get("timeout") or limits})

        session.send = send_in_time  # type: ignore[method-assign]  # requests has no default time-out
        session.hooks["response"].append(self._look_at_clock)
        return session

    def _look_at_clock(self, response: requests.Response, *_given: Any, **_named: Any) -> None:
        """Note by how many seconds the catalog's clock is ahead of ours; its header counts whole seconds."""
        try:
            said = parsedate_to_datetime(response.headers["Date"])
        except (KeyError, ValueError):
            return
        middle = datetime.now(UTC) - response.elapsed / 2
        self.clock_offset = (said - middle).total_seconds() + 0.5

    def _load_file_io(self, properties: Properties = EMPTY_DICT, location: str | None = None) -> FileIO:
        """Return the store's files; tables with the same keys share connections, 2 ms spared a look."""
        merged = {**self.properties, **properties}
        chosen = {name: value for name, value in merged.items() if not name.startswith(OWN_PROPERTIES)}
        key = frozenset((name, str(value)) for name, value in chosen.items())
        if key not in self._stores:
            if len(self._stores) >= STORES:
                # Keys lent with each answer are new each time.
                self._stores.clear()
            is_ours = PY_IO_IMPL not in merged and (location or "").startswith(("s3://", "s3a://"))
            self._stores[key] = ObjectFileIO(chosen) if is_ours else super()._load_file_io(properties, location)
        return self._stores[key]

    def load_table(self, identifier: str | Identifier) -> Table:
        """Return a table as it is now; what has not changed since the last look is neither sent nor read again."""
        name = self.identifier_to_tuple(identifier)
        known = self._loaded.get(name)
        response = self._ask_for(identifier, known)
        if response.status_code in _EXPIRED:
            self._refresh_token()
            response = self._ask_for(identifier, known)
        if known is not None and response.status_code == requests.codes.not_modified:
            return self._again(known)
        try:
            response.raise_for_status()
        except requests.HTTPError as error:
            _handle_non_200_response(error, {404: NoSuchTableError})
        where = msgspec.json.decode(response.content, type=_Where)
        # Keys that come with the table are lent for a time: then each answer is taken whole.
        lends = bool(where.credentials) or any(name.startswith("s3.") for name in where.config or ())
        tag = None if lends else response.headers.get("ETag")
        if known is not None and not lends and where.metadata_location == known.table.metadata_location:
            table = known.table
        else:
            table = self._response_to_table(name, TableResponse.model_validate_json(response.content))
        self._loaded[name] = _Loaded(table, tag)
        return self._again(self._loaded[name])

    def _ask_for(self, identifier: str | Identifier, known: _Loaded | None) -> requests.Response:
        mode = self.properties.get(SNAPSHOT_LOADING_MODE)
        return self._session.get(
            self.url(Endpoints.load_table, prefixed=True, **self._split_identifier_for_path(identifier)),
            params={"snapshots": mode} if mode else {},
            headers={"If-None-Match": known.tag} if known is not None and known.tag else {},
        )

    def _again(self, known: _Loaded) -> Table:
        """Return a table of its own: a commit changes the one it is made on."""
        table = known.table
        return Table(
            identifier=table.name(),
            metadata=table.metadata,
            metadata_location=table.metadata_location,
            io=table.io,
            catalog=self,
            config=table.config,
        )

    def commit_table(
        self, table: Table, requirements: tuple[TableRequirement, ...], updates: tuple[TableUpdate, ...]
    ) -> CommitTableResponse:
        """Commit, and take a refusal for what it is only once the catalog shows that nothing took effect.

        A request that something in between sent twice is refused the second time, as its first had taken effect;
        PyIceberg removes the files of a refused commit.
        """
        try:
            response: CommitTableResponse = super().commit_table(table, requirements, updates)
        except CommitFailedException:
            landed = self._find_landed(table, updates)
            if landed is None:
                raise
            response = landed
        location = response.metadata_location
        self._loaded[table.name()] = _Loaded(
            Table(
                identifier=table.name(),
                metadata=response.metadata,
                metadata_location=location,
                io=table.io,
                catalog=self,
                config=table.config,
            ),
            None,
        )
        return response

    def _find_landed(self, table: Table, updates: tuple[TableUpdate, ...]) -> CommitTableResponse | None:
        added = [update.snapshot.snapshot_id for update in updates if isinstance(update, AddSnapshotUpdate)]
        current = self.load_table(table.name())
        if not added or any(current.metadata.snapshot_by_id(one) is None for one in added):
            return None
        # By alias, as the class is read from the catalog's own words.
        answer: CommitTableResponse = CommitTableResponse.model_validate(
            {"metadata": current.metadata, "metadata-location": current.metadata_location}
        )
        return answer

    @staticmethod
    def _delete_old_metadata(io: FileIO, base: TableMetadata, metadata: TableMetadata) -> None:
        """Leave old metadata to the server that wrote it: it follows the same table property, and may delete."""
        del io, base, metadata
