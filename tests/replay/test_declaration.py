"""Projections as TOML: what is declared is what is folded, and what does not fit is refused by name."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from workbench.errors import ProjectionError
from workbench.replay.declaration import load_projection, load_projections, make_projection
from workbench.replay.folding.paths import Path as EventPath
from workbench.replay.projection import DOCUMENT


def declare(rule: str = "last", **field: Any) -> dict[str, Any]:
    given = {"event_types": ["A"], "value": "data.x"} | field
    return {"name": "p", "fields": {"x": {"rule": rule, **given}}}


@pytest.mark.parametrize(
    ("rule", "value", "kind"),
    [
        ("last", "data.x", "json"),
        ("last", "actor_id", "text"),
        ("last", "position", "integer"),
        ("last", "occurred_at", "time"),
        ("machine", "data.x", "text"),
        ("count", "data.x", "integer"),
    ],
)
def test_a_field_without_a_kind_has_that_of_what_it_reads(rule: str, value: str, kind: str) -> None:
    assert make_projection(declare(rule, value=value)).fields[0].kind == kind


def test_names_with_dots_are_given_as_a_list() -> None:
    (source,) = make_projection(declare(value=["data", "a.b"])).fields[0].sources
    assert source.path == EventPath("data", ("a.b",))


def test_the_types_that_count_are_those_of_all_sources() -> None:
    table = declare()
    table["fields"]["n"] = {"rule": "count", "from": [{"event_types": ["C", "B"]}]}
    assert make_projection(table).event_types == ("A", "B", "C")
    table["fields"]["m"] = {"rule": "count", "from": [{}]}
    assert make_projection(table).event_types is None


def test_whatever_may_change_a_state_changes_the_hash() -> None:
    seen = {make_projection(declare()).hash, DOCUMENT.hash}
    changes: list[dict[str, Any]] = [{"version": 2}, {"order": "occurred"}, {"entity": "data.id"}]
    for change in ({"kind": "text"}, {"takes_null": False}, {"takes_absent": True}, {"value": "data.y"}):
        seen.add(make_projection(declare(**change)).hash)
    seen |= {make_projection(declare() | other).hash for other in changes}
    assert len(seen) == 9
    assert make_projection(declare()).hash == make_projection(declare()).hash


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (declare("median"), "median"),
        (declare(colour="red"), "colour"),
        (declare(value="payload.x"), "'payload.x' is no path of an event"),
        (declare(value="actor_id.x"), "no path"),
        (declare(value="data..x"), "no path"),
        (declare(value=[]), "no path"),
        (declare("sum"), "sum of kind json. Possible is integer, decimal"),
        (declare("set", kind="boolean"), "Possible is text, integer, json"),
        (declare(kind="text", value="occurred_at"), "Kind time is for occurred_at"),
        (declare(kind="time"), "a time in a payload is a text"),
        (declare("sum", kind="decimal", scale=38), "scale 38"),
        (declare(kind="text", scale=2), "scale 2"),
        (declare(moves={"a": ["b"]}), "only a machine has those"),
        (declare(initial="a"), "only a machine"),
        (declare(by="actor_id"), "only a text has those"),
        (declare(value=None), "exactly one of value, constant and clears"),
        ({"name": "p", "fields": {"x": {"rule": "first", "from": [{"clears": True}]}}}, "only last can be cleared"),
        ({"name": "p", "fields": {"x": {"rule": "last", "from": [{"value": "data", "removes": True}]}}}, "from a set"),
        ({"name": "p", "fields": {"x": {"rule": "last"}}}, "takes its values from nowhere"),
        ({"name": "p", "fields": {"position": {"rule": "last", "value": "data.x"}}}, "cannot be a field's name"),
        ({"name": "p", "fields": {"a b": {"rule": "last", "value": "data.x"}}}, "'a b' cannot be"),
        ({"name": "p", "fields": {}}, "at least one field"),
        ({"name": "p@1", "fields": declare()["fields"]}, "without @"),
        (declare() | {"version": 0}, "from 1 on"),
        (declare() | {"cancels": {"event_types": ["C"], "target": "actor_id"}}, "cannot name the event undone"),
        (declare() | {"compensations": {"A": {"event_type": "B", "target": "data"}}}, "cannot name the event undone"),
    ],
)
def test_a_declaration_that_does_not_fit_is_refused_by_the_word_at_fault(table: dict[str, Any], words: str) -> None:
    with pytest.raises(ProjectionError) as refused:
        make_projection(table)
    assert words in str(refused.value)


def test_conditions_compare_texts() -> None:
    when = [
        {"path": "data.a", "equals": 5},
        {"path": "data.b", "in": ["x", True]},
        {"path": "data.c"},
        {"path": "data.d", "exists": False},
        {"path": "data.e", "equals": "x", "negated": True},
    ]
    table = {"name": "p", "fields": {"x": {"rule": "last", "from": [{"value": "data.x", "when": when}]}}}
    (source,) = make_projection(table).fields[0].sources
    assert [(condition.texts, condition.is_negated) for condition in source.when] == [
        (("5",), False),
        (("x", "true"), False),
        (None, False),
        (None, True),
        (("x",), True),
    ]


FILE = """
name = "p"
version = {version}
[fields.x]
rule = "last"
value = "data.x"
"""


def test_a_folder_gives_each_version_and_the_newest_under_the_plain_name(tmp_path: Path) -> None:
    for version in (10, 9):
        (tmp_path / f"p{version}.toml").write_text(FILE.format(version=version))
    found = load_projections(tmp_path)
    assert sorted(found) == ["document", "p", "p@10", "p@9"]
    assert found["p"] is found["p@10"]
    assert load_projections(None) == {"document": DOCUMENT}


def test_a_file_at_fault_is_named(tmp_path: Path) -> None:
    (tmp_path / "one.toml").write_text(FILE.format(version=1))
    (tmp_path / "two.toml").write_text(FILE.format(version=1))
    with pytest.raises(ProjectionError, match=r"two\.toml: the projection p@1 is there already"):
        load_projections(tmp_path)
    with pytest.raises(ProjectionError, match=r"none is not a folder"):
        load_projections(tmp_path / "none")
    (tmp_path / "broken.toml").write_text("name =")
    with pytest.raises(ProjectionError, match=r"broken\.toml cannot be read as TOML"):
        load_projection(tmp_path / "broken.toml")
    (tmp_path / "odd.toml").write_text('name = "p"\nfields = 5\n')
    with pytest.raises(ProjectionError, match=r"odd\.toml: .*docs/projections\.md"):
        load_projection(tmp_path / "odd.toml")


def test_the_name_document_is_taken(tmp_path: Path) -> None:
    (tmp_path / "d.toml").write_text(FILE.format(version=1).replace('"p"', '"document"'))
    with pytest.raises(ProjectionError, match="is there already"):
        load_projections(tmp_path)


def test_a_source_is_a_value_a_constant_or_nothing() -> None:
    sources = [{"constant": 5}, {"clears": True}, {"value": "data.x", "values": {"a": "b"}}]
    field = make_projection({"name": "p", "fields": {"x": {"rule": "last", "from": sources}}}).fields[0]
    assert [source.constant for source in field.sources] == [5, None, msgspec.UNSET]


def test_a_target_may_be_the_cause_itself() -> None:
    cancels = {"event_types": ["C"], "target": "causation_id", "in_stream": False}
    made = make_projection(declare() | {"cancels": cancels}).cancels
    assert made is not None
    assert (made.target, made.in_stream) == (EventPath("causation_id"), False)
