"""From the attributes of one record to a row, exactly: what the fast path leaves open is decided here."""

import re
from base64 import b64decode
from functools import lru_cache
from typing import Any, Final

import msgspec

from workbench.decode import columns as names
from workbench.decode.canonical import encode_json
from workbench.decode.normalise import MAX_NESTING, MAX_PAYLOAD, MAX_VERSION, FaultError
from workbench.decode.payloads import ABSENT, UNREADABLE, check_size, read_payload, settle_payload
from workbench.decode.rows import Row
from workbench.decode.scan import Scanned, scan_json
from workbench.decode.times import read_time
from workbench.event import ACTOR_KINDS

SUBJECT: Final = "subject"
DATASCHEMA: Final = "dataschema"
SPECVERSION: Final = "specversion"
BINARY: Final = "data_base64"
SUPPORTED: Final = "1.0"
SALT: Final = "salt"
FOREIGN_SALT: Final = "source_salt"
# Such as the 2 of /deposit/2, of /deposit/v2, of urn:deposit:2 and of deposit.v2.json.
VERSION: Final = re.compile(r"(?:[/:#=][vV]?|[._-][vV])([1-9][0-9]{0,8})(?:\.json)?$")


class Form(msgspec.Struct, frozen=True, eq=False):
    """How records of one kind name the log's columns; ``attributes`` maps column → name in the record."""

    attributes: dict[str, str]
    required: tuple[str, ...]
    is_cloudevents: bool


CLOUDEVENTS: Final = Form(
    {
        names.EVENT_ID: "id",
        names.SOURCE: "source",
        names.STREAM_ID: "streamid",
        names.EVENT_TYPE: "type",
        names.SCHEMA_VERSION: "schemaversion",
        names.OCCURRED_AT: "time",
        names.RECORDED_AT: "recordedat",
        names.ACTOR_ID: "actorid",
        names.ACTOR_KIND: "actorkind",
        names.CORRELATION_ID: "correlationid",
        names.CAUSATION_ID: "causationid",
        names.DATA: "data",
        SUBJECT: "subject",
    },
    (names.EVENT_ID, names.SOURCE, names.EVENT_TYPE, names.OCCURRED_AT),
    is_cloudevents=True,
)
JSON_LINES: Final = Form(
    {
        name: name
        for name in (
            names.EVENT_ID,
            names.SOURCE,
            names.STREAM_ID,
            names.EVENT_TYPE,
            names.SCHEMA_VERSION,
            names.OCCURRED_AT,
            names.RECORDED_AT,
            names.ACTOR_ID,
            names.ACTOR_KIND,
            names.CORRELATION_ID,
            names.CAUSATION_ID,
            names.DATA,
            names.METADATA,
        )
    },
    (names.STREAM_ID, names.EVENT_TYPE, names.OCCURRED_AT),
    is_cloudevents=False,
)
TIMES: Final = (names.OCCURRED_AT, names.RECORDED_AT)


@lru_cache(maxsize=4096)
def find_version(dataschema: str | None) -> int:
    """Return the version that a dataschema URI ends in, else 1."""
    match = VERSION.search(dataschema or "")
    return int(match[1]) if match else 1


def read_record(raw: bytes, row: int, form: Form, source_name: str) -> Row:
    """Return the row of one record; raises FaultError for the first rule it breaks."""
    check_record_size(raw)
    scanned = scan_json(raw, nesting=MAX_NESTING + 1)
    if not isinstance(scanned.value, dict):
        raise FaultError("not_an_object", f"a JSON {type(scanned.value).__name__}", at=0)
    return Attributes(scanned, form).read(row, source_name)


class Sized(msgspec.Struct, gc=False):
    """The payload of a record of either form."""

    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


def check_record_size(raw: bytes) -> None:
    """Raise FaultError when the record's payload is too large, as `check_size` does."""
    if len(raw) <= MAX_PAYLOAD:
        return
    try:
        sized = msgspec.json.decode(raw, type=Sized)
    except UNREADABLE:
        return
    if sized.data is not msgspec.UNSET:
        check_size(bytes(sized.data))


class Attributes:
    """The members of one record, read as the form says."""

    def __init__(self, scanned: Scanned, form: Form) -> None:
        self.record: dict[str, Any] = scanned.value
        self.texts = scanned.members
        self.form = form

    def read(self, row: int, source_name: str) -> Row:
        """Return the row; the first attribute at fault, in the order of the form, raises FaultError."""
        if self.form.is_cloudevents:
            self._check_envelope()
        values = {column: self._text(column) for column in self.form.attributes if column not in STRUCTURED}
        values = {column: self._time(column, text) if column in TIMES else text for column, text in values.items()}
        if values.get(names.ACTOR_KIND) not in (None, *ACTOR_KINDS):
            raise self._invalid(names.ACTOR_KIND, "one of " + ", ".join(ACTOR_KINDS))
        source = values.pop(names.SOURCE) or source_name
        stream_id = values.pop(names.STREAM_ID) or values.pop(SUBJECT, None) or source
        values.pop(SUBJECT, None)
        payload = settle_payload(self.texts[names.DATA]) if names.DATA in self.texts else ABSENT
        return Row(
            row=row,
            source=source,
            stream_id=stream_id,
            schema_version=self._version(),
            data=payload.text,
            canonical=payload.canonical,
            rest=self._rest(),
            **values,  # type: ignore[arg-type]  # the required ones are never None
        )

    def _check_envelope(self) -> None:
        version = self.record.get(SPECVERSION)
        if version is None:
            raise self._fault("missing_attribute", SPECVERSION, SUPPORTED)
        if version != SUPPORTED:
            raise self._fault("unsupported_specversion", SPECVERSION, SUPPORTED)
        if self.record.get(BINARY) is not None:
            raise FaultError("binary_data", BINARY, repaired=self._unpack())

    def _unpack(self) -> bytes | None:
        """Return the record with its base64 payload as the JSON it holds, or else as the text it is."""
        others = {name: value for name, value in self.record.items() if name != BINARY}
        packed = self.record[BINARY]
        if self.record.get(names.DATA) is not None or not isinstance(packed, str):
            return None
        try:
            payload = bytes(read_payload(b64decode(packed, validate=True)).text or b"null")
        except (ValueError, FaultError):
            payload = encode_json(packed)
        return encode_json({**others, names.DATA: msgspec.Raw(payload)})

    def _fault(self, code: str, name: str, mended: Any = None) -> FaultError:
        shown = self.texts[name][:40].decode(errors="replace") if name in self.texts else "absent"
        repaired = encode_json({**self.record, name: mended}) if mended is not None else None
        return FaultError(code, f"{name} is {ascii(shown)[1:-1]}", repaired=repaired)

    def _invalid(self, column: str, wanted: str, mended: Any = None) -> FaultError:
        name = self.form.attributes.get(column, column)
        fault = self._fault("invalid_attribute", name, mended)
        return FaultError("invalid_attribute", f"{fault.detail}, not {wanted}", repaired=fault.repaired)

    def _text(self, column: str) -> str | None:
        name = self.form.attributes[column]
        value = self.record.get(name)
        if value is None or value == "":
            if column in self.form.required:
                raise self._fault("missing_attribute", name)
            if value == "":
                raise self._without(column)
            return None
        if isinstance(value, str):
            return value
        mended = bytes(value).decode() if isinstance(value, msgspec.Raw) else None
        raise self._invalid(column, "a string", mended)

    def _without(self, column: str) -> FaultError:
        name = self.form.attributes[column]
        others = {key: value for key, value in self.record.items() if key != name}
        return FaultError("invalid_attribute", f"{name} is empty", repaired=encode_json(others))

    def _time(self, column: str, text: str | None) -> str | None:
        if text is None:
            return None
        name = self.form.attributes[column]
        try:
            return read_time(text)
        except FaultError as fault:
            mended = encode_json({**self.record, name: fault.repaired.decode()}) if fault.repaired else None
            raise FaultError(fault.code, f"{name} is {fault.detail}", repaired=mended) from None

    def _version(self) -> int:
        name = self.form.attributes[names.SCHEMA_VERSION]
        value = self.record.get(name)
        if value is None:
            schema = self.record.get(DATASCHEMA) if self.form.is_cloudevents else None
            return find_version(schema if isinstance(schema, str) else None)
        text = bytes(value).decode() if isinstance(value, msgspec.Raw) else value
        return read_version(text) or self._refuse_version()

    def _refuse_version(self) -> int:
        raise self._invalid(names.SCHEMA_VERSION, f"a whole number from 1 to {MAX_VERSION:,}")

    def _rest(self) -> str:
        known = set(self.form.attributes.values())
        others = {name: self.record[name] for name in sorted(self.record) if name not in known}
        others = {name: value for name, value in others.items() if value is not None}
        own = self.record.get(names.METADATA) if not self.form.is_cloudevents else None
        if own is None:
            return write_rest(others)
        if not isinstance(own, dict):
            raise self._invalid(names.METADATA, "an object")
        both = own.keys() & others.keys()
        if both:
            raise self._invalid(names.METADATA, f"free of the record's own {min(both)}")
        return write_rest({**own, **others})


STRUCTURED: Final = (names.DATA, names.METADATA, names.SCHEMA_VERSION)


def read_version(value: Any) -> int | None:
    """Return a schema version, given as a whole number or its digits, or None when it cannot be one."""
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    is_number = text.isascii() and text.isdigit() and len(text) <= len(str(MAX_VERSION))
    return int(text) if is_number and 1 <= int(text) <= MAX_VERSION else None


def write_rest(others: dict[str, Any]) -> str:
    """Return the JSON text of an object without the brace it begins with; the member ``salt`` is the log's own."""
    if SALT in others:
        others = {FOREIGN_SALT if name == SALT else name: value for name, value in others.items()}
    return encode_json(others).decode()[1:]
