import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest

from workbench.decode import load_registry
from workbench.errors import ArgumentError
from workbench.sources import synthetic
from workbench.sources.synthetic import BROKEN, SyntheticSource, generate_loan_desk, tell_story
from workbench.sources.synthetic_clock import DAY, END, HOUR, MINUTE, START, Chance, format_time, move_to_office_hours
from workbench.sources.synthetic_desk import BAD_PROMPT, Fact

SIZE = 20_000
SCHEMAS = Path(synthetic.__file__).with_name("loan_desk")


@pytest.fixture(scope="module")
def events() -> list[dict[str, Any]]:
    return [json.loads(record) for record in generate_loan_desk(SIZE, accidents=False)]


@pytest.fixture(scope="module")
def many_events() -> list[dict[str, Any]]:
    """So many that the rare things happen."""
    return [json.loads(record) for record in generate_loan_desk(60_000, accidents=False)]


@pytest.fixture(scope="module")
def facts() -> list[Fact]:
    return tell_story(SIZE, Chance(7))


def by_stream(events: list[dict[str, Any]], event_type: str) -> Iterator[list[dict[str, Any]]]:
    streams = defaultdict(list)
    for event in events:
        if event["type"] == event_type:
            streams[event["subject"]].append(event)
    yield from streams.values()


def read_time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert list(generate_loan_desk(2_000, seed=5)) == list(generate_loan_desk(2_000, seed=5))


def test_another_seed_gives_another_desk() -> None:
    assert list(generate_loan_desk(500, seed=5)) != list(generate_loan_desk(500, seed=6))


@pytest.mark.parametrize("size", [100, 101, 999, 5_000])
def test_exactly_as_many_events_come_out_as_were_asked_for(size: int) -> None:
    records = [json.loads(record) for record in generate_loan_desk(size, accidents=False)]
    assert len({(record["source"], record["id"]) for record in records}) == len(records) == size


def test_a_desk_too_small_for_a_story_is_refused() -> None:
    with pytest.raises(ArgumentError, match="99 events tells no story"):
        list(generate_loan_desk(99))


def test_recording_times_never_decrease_and_never_precede_the_fact(events: list[dict[str, Any]]) -> None:
    recorded = [event["recordedat"] for event in events]
    assert recorded == sorted(recorded)
    assert all(event["time"] < event["recordedat"] for event in events)


def test_the_desk_runs_through_one_year(events: list[dict[str, Any]]) -> None:
    days = {event["time"][:10] for event in events}
    assert (min(days), max(days), len(days)) == ("2025-01-01", "2025-12-31", 365)


def test_a_cause_is_recorded_before_its_effects(events: list[dict[str, Any]]) -> None:
    seen = set()
    for event in events:
        assert event.get("causationid") is None or event["causationid"] in seen
        seen.add(event["id"])


def test_every_decision_answers_a_proposal_of_the_assistant(events: list[dict[str, Any]]) -> None:
    known = {event["id"]: event for event in events}
    outcomes: Counter[str] = Counter()
    for event in events:
        task, outcome = event["type"][:-8], event["type"][-8:]
        if outcome in {"Accepted", "Rejected"}:
            proposal = known[event["causationid"]]
            assert (proposal["type"], proposal["actorkind"]) == (f"{task}Proposed", "ai")
            assert (event["actorkind"], event["data"]["proposal"]) == ("human", proposal["id"])
            outcomes[event["type"]] += 1
    assert set(outcomes) == {
        f"{task}{outcome}" for task in ("Decision", "Price", "Letter") for outcome in ("Accepted", "Rejected")
    }


def test_one_prompt_is_live_for_three_days_and_gets_most_of_its_letters_rejected(
    many_events: list[dict[str, Any]],
) -> None:
    shares: dict[str, Counter[str]] = defaultdict(Counter)
    live = set()
    known = {event["id"]: event for event in many_events}
    for event in many_events:
        if event["type"] in {"LetterAccepted", "LetterEdited", "LetterRejected"}:
            prompt = known[event["causationid"]]["data"]["prompt"]
            shares[prompt][event["type"]] += 1
        if event["type"].endswith("Proposed") and event["data"]["prompt"] == BAD_PROMPT:
            live.add(event["time"][:10])
    rejected = {prompt: count["LetterRejected"] / count.total() for prompt, count in shares.items()}
    assert live == {"2025-09-16", "2025-09-17", "2025-09-18"}
    assert set(rejected) == {"desk-1", "desk-2", "desk-3"}
    assert rejected["desk-3"] > 5 * max(rejected["desk-1"], rejected["desk-2"])


def test_three_models_follow_each_other(events: list[dict[str, Any]]) -> None:
    models = [event["data"]["model"] for event in events if event["type"] == "DecisionProposed"]
    assert set(models) == {"lender-1", "lender-2", "lender-3"}


def test_one_type_has_three_schema_versions_each_with_its_shape(events: list[dict[str, Any]]) -> None:
    shapes = {(event["schemaversion"], tuple(event["data"])) for event in events if event["type"] == "LoanRequested"}
    assert shapes == {
        (1, ("amount", "term", "purpose")),
        (2, ("amount", "months", "purpose", "channel")),
        (3, ("amount", "currency", "months", "purpose", "channel")),
    }


def test_a_back_dated_limit_is_last_by_position_and_not_last_by_occurrence(events: list[dict[str, Any]]) -> None:
    thirds = [limits for limits in by_stream(events, "CreditLimitSet") if len(limits) == 3]
    assert thirds
    for first, second, third in thirds:
        assert first["time"] < third["time"] < second["time"] < third["recordedat"]


def test_some_events_come_late_some_tie(events: list[dict[str, Any]]) -> None:
    late = [e for e in events if read_time(e["recordedat"]) - read_time(e["time"]) > timedelta(hours=1)]
    times = Counter((event["subject"], event["time"]) for event in events)
    assert 0.002 < len(late) / len(events) < 0.03
    assert max(times.values()) > 1


def test_cancels_name_withdrawals_cancels_and_now_and_then_nothing(many_events: list[dict[str, Any]]) -> None:
    types = {event["id"]: event["type"] for event in many_events}
    cancelled = Counter(types.get(e["data"]["cancels"]) for e in many_events if e["type"] == "WithdrawalCancelled")
    assert set(cancelled) == {"MoneyWithdrawn", "WithdrawalCancelled", None}
    assert cancelled["MoneyWithdrawn"] > cancelled["WithdrawalCancelled"] > cancelled[None]


def test_money_is_a_decimal_string_with_two_places(events: list[dict[str, Any]]) -> None:
    amounts = [event["data"]["amount"] for event in events if "amount" in event["data"] and not is_first_version(event)]
    assert amounts
    assert all(isinstance(amount, str) and amount[-3] == "." and float(amount) > 0 for amount in amounts)


def is_first_version(event: dict[str, Any]) -> bool:
    return bool(event["type"] == "LoanRequested" and event["schemaversion"] == 1)


def test_every_request_keeps_its_schema_and_lifts_to_the_same_shape() -> None:
    registry = load_registry(SCHEMAS)
    shapes = set()
    for record in generate_loan_desk(5_000, accidents=False):
        event = msgspec.json.decode(record, type=dict[str, msgspec.Raw])
        if bytes(event["type"]) != b'"LoanRequested"':
            continue
        version, text = int(bytes(event["schemaversion"])), bytes(event["data"]).decode()
        assert registry.find_mismatch("LoanRequested", version, text.encode()) is None
        lifted, payload = registry.upcast("LoanRequested", version, text)
        assert registry.find_mismatch("LoanRequested", lifted, (payload or "").encode()) is None
        shapes.add((lifted, tuple(sorted(json.loads(payload or "{}")))))
    assert shapes == {(3, ("amount", "channel", "currency", "months", "purpose"))}


def test_the_first_version_wrote_its_amount_as_a_number_with_two_places() -> None:
    records = [record for record in generate_loan_desk(2_000, accidents=False) if b'"schemaversion":1' in record]
    amounts = [re.search(rb'"data":\{"amount":([^,]*),"term"', record) for record in records]
    found = [amount[1] for amount in amounts if amount]
    assert found
    assert all(re.fullmatch(rb"[0-9]+\.[0-9]{2}", amount) for amount in found)


def test_accidents_are_duplicates_and_records_that_cannot_be_events() -> None:
    good = list(generate_loan_desk(SIZE, accidents=False))
    records = list(generate_loan_desk(SIZE))
    assert set(good) <= set(records)
    contents = {strip_recording(record) for record in good}
    others = [record for record in records if strip_recording(record) not in contents]
    assert len(others) == len(BROKEN) + 1
    assert 0.001 < (len(records) - len(good) - len(others)) / SIZE < 0.003


def strip_recording(record: bytes) -> bytes:
    head, _, rest = record.partition(b'"recordedat":"')
    return head + rest[28:]


def test_offsets_and_lines_are_those_of_the_file() -> None:
    file = b"".join(record + b"\n" for record in generate_loan_desk(9_000))
    records = list(SyntheticSource(9_000).records())
    assert all(file[record.offset :].startswith(record.raw + b"\n") for record in records[::97])
    assert [record.line for record in records] == list(range(1, len(records) + 1))


def test_clerks_work_in_office_hours(events: list[dict[str, Any]]) -> None:
    decided = [read_time(e["time"]) for e in events if e["actorid"].startswith("clerk") and e["type"].endswith("ed")]
    assert {moment.weekday() for moment in decided} == {0, 1, 2, 3, 4}
    assert {moment.hour for moment in decided} <= set(range(8, 18))


def test_office_hours_move_forward_only() -> None:
    moments = range(START, START + 14 * DAY, HOUR)
    assert all(move_to_office_hours(moment) >= moment for moment in moments)
    assert format_time(move_to_office_hours(START + 3 * DAY + 9 * HOUR))[:10] == "2025-01-06"  # a Saturday


def test_ids_never_meet(facts: list[Fact]) -> None:
    assert len({fact.event_id for fact in facts}) == len(facts)


def test_nothing_is_recorded_after_the_year(facts: list[Fact]) -> None:
    assert all(fact.recorded <= END + MINUTE for fact in facts)
    assert all(before <= after for before, after in pairwise(facts))
