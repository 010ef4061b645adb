"""The story of the made-up loan desk: what happens, to whom, when, and when it was recorded. Pure and seeded."""

from typing import Any, NamedTuple

import msgspec

from workbench.sources import synthetic_words as words
from workbench.sources.synthetic_clock import DAY, END, HOUR, MINUTE, SECOND, START, Chance, at, move_to_office_hours

# Money is a decimal string with two places, in euros (version 1 of LoanRequested wrote it as a number); chance works on
# whole cents.
CURRENCY = "EUR"
ASSISTANT = ("desk-assistant", "ai")
CORE = ("core-banking", "system")
PRINTER = ("letter-printer", "system")
CLERKS = tuple((f"clerk-{number:02d}", "human") for number in range(1, 25))

# What ran when. Prompt desk-3 went live for three days and was taken back: this is the thing to find.
MODELS = ((START, "lender-1"), (at(5, 12), "lender-2"), (at(10, 6), "lender-3"))
PROMPTS = ((START, "desk-1"), (at(4, 1), "desk-2"), (at(9, 16), "desk-3"), (at(9, 19), "desk-2"))
BAD_PROMPT = "desk-3"
REQUEST_VERSIONS = ((START, 1), (at(3, 17), 2), (at(8, 25), 3))

# Shares of proposals accepted as they are, and edited; the rest is rejected. The bad prompt turns them round.
_ACCEPTED = {"Decision": 0.78, "Price": 0.74, "Letter": 0.62}
_EDITED = {"Decision": 0.13, "Price": 0.18, "Letter": 0.31}
_BAD = {"Decision": (0.48, 0.20), "Price": (0.52, 0.20), "Letter": (0.08, 0.26)}
_GOLDEN, _ID_BITS = 0x9E3779B97F4A7C15, 44


class Fact(NamedTuple):
    """One thing that happened, in the order ``recorded`` brings; ``number`` settles ties."""

    recorded: int
    number: int
    occurred: int
    event_id: str
    event_type: str
    schema_version: int
    stream: str
    actor: tuple[str, str]
    correlation: str | None
    causation: str | None
    data: dict[str, Any]


def read_period(periods: tuple[tuple[int, Any], ...], moment: int) -> Any:
    """Return what held at a moment: the value of the last period begun by then."""
    return next(value for begun, value in reversed(periods) if begun <= moment)


def format_money(cents: int) -> str:
    """Return whole cents as a decimal string with two places."""
    return f"{cents // 100}.{cents % 100:02d}"


class Diary:
    """Every fact so far; it gives ids and recording times."""

    def __init__(self, chance: Chance) -> None:
        self.chance = chance
        self.facts: list[Fact] = []

    def note(
        self,
        event_type: str,
        stream: str,
        actor: tuple[str, str],
        occurred: int,
        *,
        data: dict[str, Any],
        cause: Fact | None = None,
        **more: Any,
    ) -> Fact:
        """Add a fact and return it. ``more``: correlation, schema_version, delay (µs until it is recorded)."""
        number = len(self.facts)
        recorded = occurred + (more.get("delay") or self.chance.between(15_000, 900_000))
        fact = Fact(
            recorded=max(recorded, cause.recorded + 1) if cause else recorded,
            number=number,
            occurred=occurred,
            # An odd multiplier modulo a power of two is a bijection: ids look random and never meet.
            event_id=f"{(number + 1) * _GOLDEN % (1 << _ID_BITS):011x}",
            event_type=event_type,
            schema_version=more.get("schema_version", 1),
            stream=stream,
            actor=actor,
            correlation=more.get("correlation", cause.correlation if cause else None),
            causation=cause.event_id if cause else None,
            data=data,
        )
        self.facts.append(fact)
        return fact


class Request:
    """One request for a loan, from the customer's wish to the money on the account."""

    def __init__(self, diary: Diary, number: int, account: int, moment: int) -> None:
        self.diary, self.chance = diary, diary.chance
        self.stream, self.account = f"loan-{number:05d}", f"account-{account:05d}"
        self.customer = (f"customer-{account:05d}", "human")
        self.moment = moment
        self.amount = self.chance.between(3, 61) * 50_000
        self.months = self.chance.pick((12, 24, 36, 48, 60, 84))
        self.purpose = self.chance.pick(words.PURPOSES)

    def tell(self) -> tuple[int, int] | None:
        """Note what happens; return (instant, cents) of the money paid out, or None."""
        verdict, fact = self._settle("Decision", self._ask(), self._propose_decision())
        approved = verdict["decision"] == "approve"
        price: dict[str, Any] = {}
        if fact and approved:
            price, fact = self._settle("Price", fact, self._propose_price())
        if fact is None:
            return None
        letter, fact = self._settle("Letter", fact, {"text": self._write_letter(verdict, price)})
        sent = fact and self._send(letter, fact)
        return self._pay_out(sent) if sent and approved and self.chance.happens(0.86) else None

    def _ask(self) -> Fact:
        version = read_period(REQUEST_VERSIONS, self.moment)
        amount = format_money(self.amount)
        shapes: dict[int, dict[str, Any]] = {
            1: {"amount": msgspec.Raw(amount.encode()), "term": self.months, "purpose": self.purpose},
            2: {"amount": amount, "months": self.months, "purpose": self.purpose, "channel": self._channel()},
            3: {
                "amount": amount,
                "currency": CURRENCY,
                "months": self.months,
                "purpose": self.purpose,
                "channel": self._channel(),
            },
        }
        return self.diary.note(
            "LoanRequested",
            self.stream,
            self.customer,
            self.moment,
            data=shapes[version],
            correlation=self.stream.replace("loan", "request"),
            schema_version=version,
        )

    def _channel(self) -> str:
        return self.chance.pick(words.CHANNELS)

    def _settle(self, task: str, cause: Fact, content: dict[str, Any]) -> tuple[dict[str, Any], Fact | None]:
        """Propose until a clerk takes it, at most three times; return what was decided and the deciding fact."""
        for attempt in range(3):
            proposal = self._propose(task, cause, content)
            if proposal is None or self.chance.happens(0.004):
                break  # beyond the year, or nobody ever looked at it: pending
            outcome = self._draw_outcome(task, proposal.data["prompt"], attempt)
            decided = self._decide(task, outcome, proposal)
            if decided is None:
                break
            if outcome != "Rejected":
                return proposal.data | decided.data, decided
            cause = decided
        return content, None

    def _propose(self, task: str, cause: Fact, content: dict[str, Any]) -> Fact | None:
        moment = cause.occurred + self.chance.between(2 * SECOND, 45 * SECOND)
        if moment >= END:
            return None
        made_by = {"model": read_period(MODELS, moment), "prompt": read_period(PROMPTS, moment)}
        if task == "Letter" and made_by["prompt"] == BAD_PROMPT:
            body, _, farewell = content["text"].rpartition("\n")
            content = {"text": f"{body} {self.chance.pick(words.BAD_PROMISES)}\n{farewell}"}
        return self.diary.note(f"{task}Proposed", self.stream, ASSISTANT, moment, data=content | made_by, cause=cause)

    def _draw_outcome(self, task: str, prompt: str, attempt: int) -> str:
        accepted, edited = _BAD[task] if prompt == BAD_PROMPT else (_ACCEPTED[task], _EDITED[task])
        share = self.chance.draw()
        if share < accepted:
            return "Accepted"
        return "Edited" if share < accepted + edited or attempt > 1 else "Rejected"

    def _decide(self, task: str, outcome: str, proposal: Fact) -> Fact | None:
        thought = self.chance.between(20 * SECOND, 6 * MINUTE) + self.chance.skewed(7 * HOUR)
        moment = move_to_office_hours(proposal.occurred + thought)
        if moment >= END:
            return None
        data = {"proposal": proposal.event_id}
        if outcome == "Edited":
            data |= self._edit(task, proposal.data)
        if outcome == "Rejected":
            data |= self._reject(task, proposal.data["prompt"])
        clerk = self.chance.pick(CLERKS)
        return self.diary.note(f"{task}{outcome}", self.stream, clerk, moment, data=data, cause=proposal)

    def _edit(self, task: str, content: dict[str, Any]) -> dict[str, Any]:
        if task == "Letter":
            return {"text": self._mend_letter(content["text"])}
        if task == "Price":
            changed = self._propose_price(lower=self.chance.between(5, 60))
            return changed | {"remark": self.chance.pick(words.PRICE_REMARKS)}
        other = "decline" if content["decision"] == "approve" and self.chance.happens(0.4) else "approve"
        return {"decision": other, "reasons": content["reasons"], "remark": self.chance.pick(words.DECISION_REMARKS)}

    def _reject(self, task: str, prompt: str) -> dict[str, Any]:
        reasons = {
            "Decision": words.DECISION_REFUSALS,
            "Price": words.PRICE_REFUSALS,
            "Letter": words.LETTER_REFUSALS,
        }
        return {"reason": self.chance.pick(words.BAD_REFUSALS if prompt == BAD_PROMPT else reasons[task])}

    def _propose_decision(self) -> dict[str, Any]:
        approve = self.chance.happens(0.74)
        pool = words.REASONS_FOR if approve else words.REASONS_AGAINST
        first = self.chance.between(0, len(pool))
        reasons = [pool[first], pool[(first + 2) % len(pool)]]
        score = self.chance.between(58, 97) if approve else self.chance.between(8, 47)
        return {"decision": "approve" if approve else "decline", "score": score / 100, "reasons": reasons}

    def _propose_price(self, *, lower: int = 0) -> dict[str, Any]:
        hundredths = self.chance.between(390, 940) - lower
        interest = self.amount * hundredths * self.months // (10_000 * 12 * 2)  # on the mean balance, half the amount
        return {
            "annual_rate": format_money(hundredths),
            "instalment": format_money((self.amount + interest) // self.months),
            "months": self.months,
        }

    def _write_letter(self, verdict: dict[str, Any], price: dict[str, Any]) -> str:
        chance, approved = self.chance, verdict["decision"] == "approve"
        opening = chance.pick(words.OPENINGS).format(amount=format_money(self.amount), purpose=self.purpose)
        if approved:
            terms = chance.pick(words.TERMS)
            middle = terms.format(instalment=price["instalment"], months=self.months, rate=price["annual_rate"])
            body = [chance.pick(words.APPROVALS), middle, chance.pick(words.CLOSINGS_YES)]
        else:
            why = chance.pick(words.WHY_NOT).format(reason=verdict["reasons"][0])
            body = [chance.pick(words.DECLINES), why, chance.pick(words.CLOSINGS_NO)]
        return f"Dear customer,\n{' '.join([opening, *body])}\n{chance.pick(words.FAREWELLS)}"

    def _mend_letter(self, text: str) -> str:
        for promise in words.BAD_PROMISES:
            text = text.replace(f" {promise}", "")
        greeting, body, farewell = text.split("\n")
        sentences = body.split(". ")
        if self.chance.happens(0.3) and len(sentences) > 2:  # noqa: PLR2004 — a letter keeps two sentences
            del sentences[1]
        body = ". ".join(sentences)
        if self.chance.happens(0.6):
            body = f"{body} {self.chance.pick(words.KINDER)}"
        return f"{greeting}\n{body}\n{self.chance.pick(words.FAREWELLS) if self.chance.happens(0.5) else farewell}"

    def _send(self, letter: dict[str, Any], cause: Fact) -> Fact | None:
        evening = cause.occurred // DAY * DAY + 19 * HOUR  # letters of a day leave in one run: ties
        data = {"channel": self.chance.pick(("post", "post", "mail")), "characters": len(letter["text"])}
        if evening >= END:
            return None
        return self.diary.note("LetterSent", self.stream, PRINTER, evening, data=data, cause=cause)

    def _pay_out(self, cause: Fact) -> tuple[int, int] | None:
        moment = move_to_office_hours(cause.occurred + 2 * DAY + self.chance.skewed(9 * DAY)) // SECOND * SECOND
        if moment >= END:
            return None
        money = {"amount": format_money(self.amount), "currency": CURRENCY}
        paid = self.diary.note("LoanPaidOut", self.stream, CORE, moment, data=money | {"to": self.account}, cause=cause)
        text = f"loan {self.stream.removeprefix('loan-')}"
        self.diary.note("MoneyDeposited", self.account, CORE, moment, data=money | {"text": text}, cause=paid)
        return moment, self.amount
