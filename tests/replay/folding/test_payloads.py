"""Rules read of a payload what they name and no more, and find there what the whole payload has."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.replay.facts import build_fact
from tests.replay.generated import members
from workbench.replay.declaration import make_projection
from workbench.replay.folding.fact import find_value
from workbench.replay.folding.fold import Folder, fold_facts
from workbench.replay.folding.paths import Path, read_path
from workbench.replay.folding.payloads import NO_PAYLOAD, make_payload_reader
from workbench.replay.folding.values import write_value
from workbench.replay.projection import Source

PATHS = tuple(map(read_path, ("data", "data.a", "data.a.b", "data.n", "data.m", "actor_id", "metadata.m")))


def find(path: Path, beside: tuple[Path, ...], text: str | None) -> Any:
    """Return what is found at a path where rules read others beside it."""
    reader = make_payload_reader(Source(path=each) for each in (path, *beside))
    fact = msgspec.structs.replace(build_fact(0), data=text)
    return reader.find_at(path)(fact, reader.read(text or NO_PAYLOAD))


def write(found: Any) -> str:
    return "nothing" if found is msgspec.UNSET else write_value(found)


@given(st.sampled_from(PATHS), st.sets(st.sampled_from(PATHS)), members() | st.none())
def test_a_rule_finds_what_stands_at_its_path_whatever_is_read_beside_it(
    path: Path, beside: set[Path], text: str | None
) -> None:
    whole = find_value(msgspec.structs.replace(build_fact(0), data=text), path)
    assert write(find(path, tuple(beside), text)) == write(whole)


@pytest.mark.parametrize("name", ['"', "\\", "a\nb", "größe", "a.b", "\u2028", "👍", "member_0", "type"])
def test_a_member_may_have_any_name(name: str) -> None:
    assert find(Path("data", (name,)), (Path("data", ("a",)),), json.dumps({"a": 1, name: "found"})) == "found"
    assert find(Path("data", (name,)), (), json.dumps({"a": 1}, ensure_ascii=False)) is msgspec.UNSET


def test_a_delta_whose_numbers_are_none_as_written_stays_refused_where_another_rule_reads_it() -> None:
    projection = make_projection(
        {
            "name": "notes",
            "fields": {
                "text": {"rule": "text", "from": [{"value": "data.ops"}]},
                "edits": {"rule": "count", "from": [{"value": "data.ops"}]},
            },
        }
    )
    fact = msgspec.structs.replace(build_fact(0), data='{"ops":[{"retain":-0},{"insert":"x"}]}')
    state = fold_facts(projection, [fact])["a"]
    assert Folder(projection).write(state) == '{"edits":1,"text":null}'
    assert state.failed == {"text": 1}
