"""XES: every event of every trace, whichever way its text is written, and nothing that could do harm."""

import gzip
import json
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from workbench.errors import SourceError
from workbench.sources import xes
from workbench.sources.xes import XesSource
from workbench.sources.xes_scan import scan_block

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<log xes.version="1.0">\n'
NAME = '<string key="concept:name" value="case-1"/>'
EVENT = (
    '<event><string key="concept:name" value="Sent"/><date key="time:timestamp" value="2026-01-01T10:00:00.5+01:00"/>'
    '<string key="org:resource" value="112"/></event>'
)


def write_log(folder: Path, body: str, *, head: str = HEAD, tail: str = "\n</log>") -> Path:
    path = folder / "log.xes"
    path.write_text(head + body + tail, encoding="utf-8")
    return path


def read_rows(path: Path) -> list[dict[str, Any]]:
    return [row for chunk in XesSource(path).chunks() for row in chunk.rows.to_pylist()]


def read_table(path: Path) -> pa.Table:
    return pa.concat_tables([chunk.rows for chunk in XesSource(path).chunks()]).unify_dictionaries()


def read_data(folder: Path, attributes: str) -> Any:
    (row,) = read_rows(write_log(folder, f"<trace>{NAME}<event>{attributes}</event></trace>"))
    return json.loads(row["data"])


def test_a_trace_is_a_stream_and_an_event_keeps_its_attributes(tmp_path: Path) -> None:
    path = write_log(tmp_path, f'<trace>{NAME}<int key="AMOUNT" value="007"/>{EVENT}</trace>')
    (row,) = read_rows(path)
    assert (row["stream_id"], row["event_type"], row["actor_id"], row["actor_kind"]) == ("case-1", "Sent", "112", None)
    assert row["occurred_at"] == "2026-01-01T10:00:00.5+01:00"
    assert json.loads(row["data"]) == {
        "concept:name": "Sent",
        "time:timestamp": "2026-01-01T10:00:00.5+01:00",
        "org:resource": "112",
    }
    assert json.loads(row["metadata"]) == {"trace": {"concept:name": "case-1", "AMOUNT": "007"}}
    assert row["raw"] == EVENT.encode()
    assert path.read_bytes()[row["offset"] :].startswith(EVENT.encode())
    assert row["line"] == 3


def test_numbers_keep_their_text_and_types_their_form(tmp_path: Path) -> None:
    path = write_log(
        tmp_path,
        f'<trace>{NAME}<event><int key="i" value="12345678901234567890"/><float key="f" value="1.50"/>'
        '<float key="n" value="NaN"/><int key="p" value="+5"/><boolean key="b" value="true"/>'
        '<boolean key="c" value="1"/>'
        '<id key="identity:id" value="7d5b"/><string key="s" value=""/></event></trace>',
    )
    (row,) = read_rows(path)
    expected = '{"i":12345678901234567890,"f":1.50,"n":"NaN","p":"+5","b":true,"c":"1","identity:id":"7d5b","s":""}'
    assert row["data"] == expected
    assert row["event_id"] == "7d5b"


def test_entities_quotes_and_backslashes_come_out_as_the_characters_they_mean(tmp_path: Path) -> None:
    text = "a&amp;lt;b&lt;c&quot;d&apos;\\n é"
    assert read_data(tmp_path, f'<string key="k" value="{text}"/>') == {"k": "a&lt;b<c\"d'\\n é"}


def test_nested_attributes_lists_and_containers_are_nested_in_data(tmp_path: Path) -> None:
    assert read_data(
        tmp_path,
        '<string key="a" value="x"><int key="b" value="1"><int key="c" value="2"/></int></string>'
        '<list key="l"><values><int key="i" value="1"/><int key="i" value="2"/></values>'
        '<string key="m" value="y"/></list>'
        '<list key="old"><int key="i" value="3"/></list>'
        '<container key="o"><int key="i" value="4"/><string key="j" value="5"/></container>'
        '<container key="same"><int key="i" value="6"/><int key="i" value="7"/></container>',
    ) == {
        "a": {"value": "x", "attributes": {"b": {"value": 1, "attributes": {"c": 2}}}},
        "l": {"values": [{"i": 1}, {"i": 2}], "attributes": {"m": "y"}},
        "old": [{"i": 3}],
        "o": {"i": 4, "j": "5"},
        "same": [{"i": 6}, {"i": 7}],
    }


def test_an_event_without_name_time_or_stream_is_handed_on_for_quarantine(tmp_path: Path) -> None:
    rows = read_rows(
        write_log(
            tmp_path,
            '<trace><event><string key="x" value="1"/></event></trace>'
            f"<trace>{NAME}<event/></trace><trace>{NAME}</trace>{EVENT}",
        )
    )
    assert [(row["stream_id"], row["event_type"], row["occurred_at"]) for row in rows[:2]] == [
        (None, None, None),
        ("case-1", None, None),
    ]
    assert [row["raw"] for row in rows[1:]] == [b"<event/>", EVENT.encode()]
    assert (rows[2]["stream_id"], rows[2]["event_type"]) == (None, "Sent")


def test_values_a_log_declares_globally_are_not_filled_in(tmp_path: Path) -> None:
    head = HEAD + '<global scope="event"><string key="concept:name" value="UNKNOWN"/></global>'
    (row,) = read_rows(write_log(tmp_path, f"<trace>{NAME}<event></event></trace>", head=head))
    assert row["event_type"] is None


def test_traces_of_one_name_are_one_stream_in_the_order_of_the_file(tmp_path: Path) -> None:
    rows = read_rows(write_log(tmp_path, f"<trace>{NAME}{EVENT}{EVENT}</trace><trace>{NAME}{EVENT}</trace>"))
    assert [row["stream_id"] for row in rows] == ["case-1"] * 3


def test_a_key_twice_in_one_event_stays_visible_for_decoding_to_refuse(tmp_path: Path) -> None:
    body = f'<trace>{NAME}<event><string key="k" value="1"/><string key="k" value="2"/></event></trace>'
    (row,) = read_rows(write_log(tmp_path, body))
    assert row["data"] == '{"k":"1","k":"2"}'


def test_a_trace_hidden_in_a_comment_is_no_trace(tmp_path: Path) -> None:
    hidden = f"<!-- <trace>{NAME}{EVENT}</trace> -->"
    rows = read_rows(write_log(tmp_path, f"{hidden}<trace>{NAME}{EVENT}{hidden}</trace>{hidden}<trace>{EVENT}</trace>"))
    assert [row["stream_id"] for row in rows] == ["case-1", None]
    assert {row["raw"] for row in rows} == {EVENT.encode()}


def test_nesting_far_beyond_any_use_ends_in_a_row_and_not_in_a_crash(tmp_path: Path) -> None:
    deep = '<string key="d" value="1">' * 50_000 + "</string>" * 50_000
    (row,) = read_rows(write_log(tmp_path, f"<trace>{NAME}<event>{deep}</event></trace>"))
    assert 128 < row["data"].count('"attributes"') < 1_000


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "iso-8859-1"])
def test_the_declared_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "log.xes"
    head = f'<?xml version="1.0" encoding="{encoding.removesuffix("-sig")}"?><log>'
    path.write_text(f'{head}<trace><string key="concept:name" value="Zoë"/>{EVENT}</trace></log>', encoding=encoding)
    assert [row["stream_id"] for row in read_rows(path)] == ["Zoë"]


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE log [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>',
        '<!DOCTYPE log [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE log SYSTEM "http://127.0.0.1:9/log.dtd">',
    ],
)
def test_a_document_type_is_refused_before_any_entity_is_read(tmp_path: Path, doctype: str) -> None:
    with pytest.raises(SourceError, match="DOCTYPE"):
        read_rows(write_log(tmp_path, f"<trace>{NAME}{EVENT}</trace>", head=f'<?xml version="1.0"?>{doctype}<log>'))


@pytest.mark.parametrize(
    ("body", "tail", "said"),
    [
        (f"<trace>{NAME}{EVENT}</trace><trace>{NAME}{EVENT}", "", "no element found at byte"),
        (f"<trace>{NAME}{EVENT}</trace", "", "unclosed token at byte"),
        (f"<trace>{NAME}{EVENT}</event></trace>", "</log>", "mismatched tag at byte"),
        (f"<trace>{NAME}<event><string key='a' value='&nope;'/></event></trace>", "</log>", "undefined entity at byte"),
        (f"<trace>{NAME}{EVENT}</trace>", "</log><log/>", "junk after document element at byte"),
    ],
)
def test_text_that_is_not_whole_xml_is_refused_with_its_byte(tmp_path: Path, body: str, tail: str, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        read_rows(write_log(tmp_path, body, tail=tail))


def test_the_byte_of_a_fault_is_counted_over_what_was_scanned_too(tmp_path: Path) -> None:
    good = f"<trace>{NAME}{EVENT}</trace>"
    path = write_log(tmp_path, good * 50_000 + "<trace><oops></trace>")
    with pytest.raises(SourceError, match=f"mismatched tag at byte {path.read_bytes().index(b'<oops>') + 8:,}"):
        read_rows(path)


def test_another_kind_of_xml_is_refused_by_its_first_element(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="outermost element is <html>"):
        read_rows(write_log(tmp_path, "", head="<html>", tail="</html>"))


def test_an_unknown_encoding_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="klingon"):
        read_rows(write_log(tmp_path, "", head='<?xml version="1.0" encoding="klingon"?><log>'))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"/>', '" />'),
        ("><", ">\r\n<"),
        ("><", ">\r<"),
        ('"', "'"),
        ("<event>", "<event >"),
        ("<string key=", "<string\tkey="),
        (' key="concept:name" value="Sent"', ' value="Sent" key="concept:name"'),
        ('value="Sent"', 'value="S&#101;nt"'),
        ("<event>", "<event><!-- a comment -->"),
        ("<event>", "<event>text"),
        ("<event>", '<event id="7">'),
        ("<trace>", "<?a processing instruction?><trace>"),
        ('value="112"/>', 'value="112"></string>'),
    ],
)
def test_other_ways_of_writing_the_same_read_the_same(tmp_path: Path, before: str, after: str) -> None:
    body = f"<trace>{NAME}{EVENT}{EVENT}</trace><trace>{EVENT}{NAME}</trace>"
    path = write_log(tmp_path, body)
    plain = [(row["stream_id"], row["data"], row["metadata"]) for row in read_rows(path)]
    path.write_bytes((HEAD + body.replace(before, after) + "</log>").encode())
    rows = read_rows(path)
    assert [(row["stream_id"], row["data"], row["metadata"]) for row in rows] == plain
    assert all(path.read_bytes()[row["offset"] :].startswith(row["raw"]) for row in rows)
    assert all(row["raw"].endswith(b"</event>") for row in rows)


def test_traces_with_and_without_attributes_stand_side_by_side(tmp_path: Path) -> None:
    rows = read_rows(write_log(tmp_path, f"<trace>{EVENT}</trace><trace>{NAME}{EVENT}</trace><trace>{EVENT}</trace>"))
    assert [row["stream_id"] for row in rows] == [None, "case-1", None]
    assert [row["metadata"] for row in rows] == [
        '{"trace":{}}',
        '{"trace":{"concept:name":"case-1"}}',
        '{"trace":{}}',
    ]


@pytest.mark.parametrize("bad", [b"\xff", b"\xed\xa0\x80", "\ufffe".encode(), b"\x01"])
def test_bytes_that_are_no_character_of_xml_are_refused_with_their_place(tmp_path: Path, bad: bytes) -> None:
    path = write_log(tmp_path, f"<trace>{NAME}{EVENT}</trace>")
    path.write_bytes(path.read_bytes().replace(b"Sent", b"S" + bad))
    with pytest.raises(SourceError, match=r"not well-formed.*at byte \d+"):
        read_rows(path)


@pytest.mark.parametrize("wrong", ["</trace><trace>", "<trace>", "</event></trace><event>"])
def test_tags_that_do_not_fit_together_are_refused_by_the_parser(tmp_path: Path, wrong: str) -> None:
    body = f"<trace>{NAME}{EVENT}</trace>".replace("<event>", "<event>" + wrong, 1)
    with pytest.raises(SourceError, match="mismatched tag"):
        read_rows(write_log(tmp_path, body))


def test_the_records_are_the_events_elements_with_their_places(tmp_path: Path) -> None:
    path = write_log(tmp_path, f"<trace>{NAME}{EVENT}</trace>")
    (record,) = XesSource(path).records()
    assert (record.raw, record.media_type, record.line) == (EVENT.encode(), "application/xes+xml", 3)
    assert path.read_bytes()[record.offset :].startswith(record.raw)


def test_reading_may_be_given_up_early(tmp_path: Path) -> None:
    path = write_log(tmp_path, f"<trace>{NAME}{EVENT}</trace>" * 60_000)
    chunks = XesSource(path).chunks()
    assert next(chunks).rows.num_rows > 10_000
    chunks.close()  # type: ignore[attr-defined]  # the iterator is a generator
    path.unlink()


def test_prefixed_elements_are_read_by_their_local_names(tmp_path: Path) -> None:
    body = f"<trace>{NAME}{EVENT}</trace>".replace("</", "</x:").replace("<", "<x:").replace("<x:/x:", "</x:")
    path = write_log(tmp_path, body, head='<x:log xmlns:x="http://www.xes-standard.org/">', tail="</x:log>")
    assert [(row["stream_id"], row["event_type"]) for row in read_rows(path)] == [("case-1", "Sent")]


def test_places_stay_true_where_plain_and_other_text_take_turns(tmp_path: Path) -> None:
    nested = EVENT.replace('value="112"/>', 'value="112"><int key="x" value="1"/></string>')
    traces = [f"<trace>{NAME}\n{nested if number % 9_000 == 5_000 else EVENT}</trace>\n" for number in range(50_000)]
    path = write_log(tmp_path, "".join(traces))
    rows = read_rows(path)
    content = path.read_bytes()
    assert len(content) > 10_000_000
    assert len(rows) == 50_000
    assert all(content.startswith(row["raw"], row["offset"]) for row in rows)
    assert [row["line"] for row in rows] == [4 + 2 * number for number in range(50_000)]
    assert sum("attributes" in row["data"] for row in rows) == 5


NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), max_size=6
)
ATTRIBUTES = st.dictionaries(
    st.sampled_from(["concept:name", "time:timestamp", "org:resource", "a", "b&c", 'q"q', "ü"]),
    st.tuples(
        st.sampled_from(["string", "int", "float", "boolean", "date", "id"]),
        NAMES | st.sampled_from(["1", "-0.5e3", "true", "a\nb", "\\"]),
    ),
    max_size=4,
)
TRACES = st.lists(st.tuples(ATTRIBUTES, st.lists(ATTRIBUTES, max_size=4)), min_size=1, max_size=5)


def write_attributes(attributes: dict[str, tuple[str, str]]) -> str:
    return "\n".join(
        f"<{kind} key={quoteattr(key)} value={quoteattr(value)}/>" for key, (kind, value) in attributes.items()
    )


def write_traces(traces: list[tuple[Any, list[Any]]]) -> str:
    written = []
    for trace, events in traces:
        inner = "".join(f"<event>{write_attributes(event)}</event>" for event in events)
        written.append(f"<trace>{write_attributes(trace)}{inner}</trace>")
    return "\n".join(written)


def read_by_lxml(path: Path) -> list[tuple[str | None, dict[str, str]]]:
    return [
        (
            next((child.get("value") for child in trace if child.get("key") == "concept:name"), None),
            {child.get("key", ""): child.get("value", "") for child in event},
        )
        for trace in etree.parse(path).iter("trace")
        for event in trace.iter("event")
    ]


@settings(max_examples=150, deadline=None)
@given(traces=TRACES)
def test_scanning_parsing_and_lxml_read_the_same_events(tmp_path_factory: pytest.TempPathFactory, traces: Any) -> None:
    path = write_log(tmp_path_factory.mktemp("xes"), write_traces(traces))
    scanned = read_rows(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(xes, "scan_block", lambda *_: None)
        assert read_rows(path) == scanned
    seen = []
    for row in scanned:
        members = json.loads(row["data"], parse_float=str, parse_int=str)
        seen.append((row["stream_id"], {key: as_text(value) for key, value in members.items()}))
    assert seen == read_by_lxml(path)


def as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else value


def test_a_plain_log_is_scanned_and_not_parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[pa.Table | None] = []

    def scan_and_note(text: bytes, offset: int, line: int) -> pa.Table | None:
        seen.append(scan_block(text, offset, line))
        return seen[-1]

    monkeypatch.setattr(xes, "scan_block", scan_and_note)
    assert len(read_rows(write_log(tmp_path, f"<trace>{NAME}{EVENT}</trace>" * 9))) == 9
    assert [rows.num_rows for rows in seen if rows] == [9]


@pytest.mark.data
def test_the_banks_log_gives_its_published_counts(shared_data: Path) -> None:
    table = read_table(shared_data / "bpic2012/bpic2012.xes.gz")
    steps = pc.extract_regex(table["data"], '"lifecycle:transition":"(?P<step>[A-Z]+)"').combine_chunks().field("step")
    lifecycle = {row["values"]: row["counts"] for row in steps.value_counts().to_pylist()}
    assert table.num_rows == 262_200
    assert len(table["stream_id"].unique()) == 13_087
    assert len(table["event_type"].unique()) == 24
    assert len(table["actor_id"].drop_null().unique()) == 68
    assert table["actor_id"].null_count == 18_010
    assert lifecycle == {"COMPLETE": 164_506, "START": 71_376, "SCHEDULE": 26_318}
    assert table["occurred_at"].null_count == table["stream_id"].null_count == 0


@pytest.mark.data
def test_the_banks_log_read_by_the_parser_alone_is_the_same(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = shared_data / "bpic2012/bpic2012.xes.gz"
    scanned = read_table(path)
    monkeypatch.setattr(xes, "scan_block", lambda *_: None)
    assert read_table(path).equals(scanned)


@pytest.mark.data
def test_the_banks_log_cut_short_is_refused_with_its_byte(shared_data: Path, tmp_path: Path) -> None:
    path = tmp_path / "cut.xes.gz"
    path.write_bytes((shared_data / "bpic2012/bpic2012.xes.gz").read_bytes()[:1_000_000])
    with pytest.raises(SourceError, match="is truncated"):
        read_rows(path)
    path.write_bytes(gzip.compress(write_log(tmp_path, f"<trace>{NAME}{EVENT}</trace>", tail="").read_bytes()))
    with pytest.raises(SourceError, match="no element found"):
        read_rows(path)
