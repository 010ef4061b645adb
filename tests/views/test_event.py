import msgspec
import pytest

from workbench.errors import UnknownEventError
from workbench.session import Session
from workbench.views.event import load_event, load_surroundings


def test_an_event_shows_its_envelope_and_its_payload_as_lines(bank: Session) -> None:
    details = load_event(bank, 9)
    assert details.envelope["event_id"] == "e9"
    assert [(line.name, line.text) for line in details.data] == [("amount", "9"), ("note", '"Überweisung"')]
    assert details.stored_data == details.raw_data
    assert "salt" not in {line.name for line in details.metadata}


def test_a_position_without_event_is_said_with_the_last_one(bank: Session) -> None:
    with pytest.raises(UnknownEventError, match=r"1,000.*47"):
        load_event(bank, 1_000)


def test_around_an_event_stand_its_instant_its_cause_its_effects_and_its_stream(bank: Session) -> None:
    around = load_surroundings(bank, load_event(bank, 7), None)
    assert around.instant["position"].to_list() == [6, 7]
    assert around.causes["event_id"].to_list() == ["e6"]
    assert around.effects.is_empty()
    assert around.stream["position"].to_list() == list(range(3, 48, 4))
    assert around.stream_count == 12
    assert load_surroundings(bank, load_event(bank, 6), None).effects["event_id"].to_list() == ["e7"]


def test_surroundings_end_at_the_known_position(bank: Session) -> None:
    around = load_surroundings(bank, load_event(bank, 6), 6)
    assert around.instant["position"].to_list() == [6]
    assert around.effects.is_empty()


def test_many_events_of_one_instant_are_shown_around_the_one_that_is_open(
    bank: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.views.event.MOST_NEIGHBOURS", 1)
    monkeypatch.setattr("workbench.views.event.MOST_TICKS", 3)
    around = load_surroundings(bank, load_event(bank, 7), None)
    assert (around.instant["position"].to_list(), around.instant_count) == ([7], 2)
    assert (around.stream.height, around.stream_count) == (3, 12)


@pytest.mark.parametrize(
    ("metadata", "origin"),
    [
        ('{"ingested_from":{"file":"a.xes","offset":7}}', {"file": "a.xes", "offset": 7}),
        ('{"ingested_from":"elsewhere"}', {}),
        ("[]", {}),
        ("no json", {}),
        (None, {}),
    ],
)
def test_where_a_record_came_from_is_read_out_of_the_metadata(metadata: str | None, origin: object) -> None:
    from workbench.views.event import _read_origin

    assert _read_origin(metadata) == origin


def test_details_are_values(bank: Session) -> None:
    details = load_event(bank, 0)
    assert msgspec.structs.replace(details) == details
