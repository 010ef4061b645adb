"""The demo log: a loan desk over the year 2025, where an AI proposes and people accept, edit or reject.

Every customer, amount and letter is made up from a seed: the same seed and size give the same bytes. Records come as
CloudEvents 1.0, one JSON document a line, in the order in which they were recorded, with the usual accidents of a real
log: late and back-dated events, ties, records delivered twice, records that cannot be events. Money is a decimal string
with two places, in euros; only version 1 of LoanRequested wrote its amount as a number. The schemas of its three
versions, and the steps between them, are in the folder ``loan_desk`` beside this module.
"""

import heapq
import re
from bisect import bisect_left
from collections.abc import Callable, Iterator
from functools import partial
from itertools import accumulate, islice
from typing import Any, ClassVar

import msgspec

from workbench.errors import ArgumentError
from workbench.event import RawRecord
from workbench.sources.base import RecordChunk, Source
from workbench.sources.synthetic_accounts import Book, open_accounts, set_limits
from workbench.sources.synthetic_clock import HOUR, SECOND, Chance, format_time
from workbench.sources.synthetic_desk import Diary, Fact, Request

SEED = 20_250_101
EVENTS = 200_000
SOURCE = "/loan-desk"
CHUNK = 8_192
# Fewer events than this leave no room for the story of one request beside its account.
SMALLEST = 100
# Facts told before deposits and withdrawals fill the rest: requests take about half of the log.
_REQUEST_SHARE, _FACTS_A_REQUEST = 0.5, 8.4
_DUPLICATE_SHARE = 0.002
_encode = msgspec.json.Encoder().encode


def generate_loan_desk(events: int = EVENTS, *, seed: int = SEED, accidents: bool = True) -> Iterator[bytes]:
    """Yield the records of the loan desk as CloudEvents JSON, without line ends, in the order they were recorded.

    Exactly ``events`` different events come out. With ``accidents`` two records in a thousand are delivered twice and
    thirteen more cannot be events: twelve of ``BROKEN`` and one that gives a known id another content. 200,000 events
    take about four seconds and 400 MB. Raises ArgumentError below 100 events.

    >>> records = list(generate_loan_desk(100))
    >>> msgspec.json.decode(records[0])["type"]
    'AccountOpened'
    """
    if events < SMALLEST:
        raise ArgumentError(f"A loan desk of {events} events tells no story; ask for at least {SMALLEST}.")
    chance = Chance(seed)
    facts = tell_story(events, chance)
    yield from _deliver_twice_or_broken(facts, chance) if accidents else map(encode_fact, facts)


def tell_story(events: int, chance: Chance) -> list[Fact]:
    """Return exactly ``events`` facts in the order they were recorded."""
    diary = Diary(chance)
    requests = max(1, int(events * _REQUEST_SHARE / _FACTS_A_REQUEST))
    opened = open_accounts(diary, max(3, requests * 2 // 3))
    set_limits(diary, opened)
    payouts = []
    for number in range(requests):
        moment = chance.instant(opened[0] + HOUR)
        account = chance.between(0, bisect_left(opened, moment))
        paid = Request(diary, number, account, moment).tell()
        if paid:
            payouts.append((paid[0], account, paid[1]))
    book = Book(diary, opened, payouts)
    book.fill(events)
    # A cause is always recorded before its effects, so cutting the end leaves no effect without its cause.
    return sorted(diary.facts)[:events]


def encode_fact(fact: Fact, *, recorded: int | None = None) -> bytes:
    """Return a fact as a CloudEvents 1.0 JSON document; ``recorded`` is its time at another delivery."""
    actor_id, actor_kind = fact.actor
    envelope: dict[str, Any] = {
        "specversion": "1.0",
        "id": fact.event_id,
        "source": SOURCE,
        "type": fact.event_type,
        "subject": fact.stream,
        "time": format_time(fact.occurred),
        "recordedat": format_time(recorded or fact.recorded),
        "schemaversion": fact.schema_version,
        "actorid": actor_id,
        "actorkind": actor_kind,
    }
    if fact.correlation:
        envelope["correlationid"] = fact.correlation
    if fact.causation:
        envelope["causationid"] = fact.causation
    envelope["datacontenttype"] = "application/json"
    envelope["data"] = fact.data
    return _encode(envelope)


def _replace_amount(record: bytes, number: bytes) -> bytes:
    head, _, _ = record.rpartition(b'"data":')
    return head + b'"data":{"amount":' + number + b',"currency":"EUR"}}'


# What reaches a log and cannot be an event of it. Each turns a good record, under an id of its own, into a bad one.
BROKEN: dict[str, Callable[[bytes], bytes]] = {
    "cut off in the middle": lambda record: record[: len(record) * 3 // 5],
    "a line of a gateway's own log": lambda _: b"upstream connect error or disconnect/reset before headers",
    "not a number": lambda record: _replace_amount(record, b"NaN"),
    "infinite": lambda record: _replace_amount(record, b"-Infinity"),
    "beyond a double": lambda record: _replace_amount(record, b"1e400"),
    "two values of one key": lambda record: _replace_amount(record, b'"10.00","amount":"12.00"'),
    "half a character": lambda record: _replace_amount(record, b'"\\ud83d"'),
    "no event type": lambda record: record.replace(b'"type":', b'"kind":', 1),
    "an empty id": lambda record: re.sub(rb'"id":"[^"]*"', b'"id":""', record, count=1),
    "a time without a zone": lambda record: re.sub(rb'("time":"[^"]*)Z"', rb'\1"', record, count=1),
    "a month that is none": lambda record: re.sub(rb'"time":"(\d{4})-\d\d', rb'"time":"\1-13', record, count=1),
    "a byte that is no UTF-8": lambda record: record.replace(b'"EUR"', b'"EU\xff"'),
}


def _deliver_twice_or_broken(facts: list[Fact], chance: Chance) -> Iterator[bytes]:
    again: list[tuple[int, Fact]] = []  # (index at which it comes again, fact), a heap
    step = len(facts) // (len(BROKEN) + 2)
    broken = {step * place: spoil for place, spoil in enumerate((*BROKEN.values(), None), 1)}
    for index, fact in enumerate(facts):
        yield encode_fact(fact)
        while again and again[0][0] <= index:
            yield encode_fact(heapq.heappop(again)[1], recorded=fact.recorded)
        if chance.happens(_DUPLICATE_SHARE):
            heapq.heappush(again, (index + chance.between(1, 400), fact))
        if index in broken:
            yield _break(fact, broken[index])
    for _, fact in sorted(again):
        yield encode_fact(fact, recorded=facts[-1].recorded)


def _break(fact: Fact, spoil: Callable[[bytes], bytes] | None) -> bytes:
    """Return a record that cannot be an event, or, without ``spoil``, one that contradicts the fact."""
    if spoil is None:
        return encode_fact(fact._replace(occurred=fact.occurred - SECOND))
    money = {"amount": "10.00", "currency": "EUR"}
    return spoil(encode_fact(fact._replace(event_id=f"x{fact.event_id}", data=money)))


class SyntheticSource(Source):
    """The loan desk as a source: what `generate_loan_desk` yields, as if it were a file of JSON lines."""

    format: ClassVar[str] = "synthetic"
    media_type: ClassVar[str] = "application/cloudevents+json"

    def __init__(self, events: int = EVENTS, *, seed: int = SEED, accidents: bool = True) -> None:
        """Prepare a desk of this size; nothing is generated before the first record is asked for."""
        self.name = SOURCE
        self._generate = partial(generate_loan_desk, events, seed=seed, accidents=accidents)

    def records(self) -> Iterator[RawRecord]:
        """Yield the records one by one, with the offset and line they have in the file."""
        for chunk in self.chunks():
            for raw, offset, line in zip(chunk.raws, chunk.offsets, chunk.lines or (), strict=True):
                yield RawRecord(raw, offset, chunk.media_type, line)

    def chunks(self) -> Iterator[RecordChunk]:
        """Yield the records in bulk."""
        records = self._generate()
        offset, line = 0, 1
        while raws := list(islice(records, CHUNK)):
            offsets = list(accumulate((len(raw) + 1 for raw in raws), initial=offset))
            lines = list(range(line, line + len(raws)))
            yield RecordChunk(media_type=self.media_type, raws=raws, offsets=offsets[:-1], lines=lines)
            offset, line = offsets[-1], line + len(raws)
