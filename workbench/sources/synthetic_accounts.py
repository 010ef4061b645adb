"""The accounts of the made-up loan desk: opened, paid in and out, cancelled, limited, some of it late or back-dated."""

from itertools import count

from workbench.sources.synthetic_clock import DAY, END, HOUR, MINUTE, SECOND, START, Chance, move_to_office_hours
from workbench.sources.synthetic_desk import CLERKS, CORE, CURRENCY, Diary, Fact, format_money
from workbench.sources.synthetic_words import CITIES

SHOPS = ("groceries", "fuel", "rent", "pharmacy", "insurance", "books", "travel", "electricity")
_LATE_SHARE = 0.015  # card terminals that were offline: recorded hours or days after
_FEE = 150


def open_accounts(diary: Diary, size: int) -> list[int]:
    """Note the opening of each account; return the instants, ascending: account ``n`` is the n-th opened."""
    chance = diary.chance
    # The first tenth opens on the first day, so that there is someone to ask for a loan.
    early = size // 10 + 1
    opened = [START + 6 * HOUR + chance.between(0, 10 * HOUR) for _ in range(early)]
    opened += [min(chance.instant(START + DAY), chance.instant(START + DAY)) for _ in range(size - early)]
    opened.sort()
    for number, moment in enumerate(opened):
        data = {"branch": chance.pick(CITIES), "currency": CURRENCY}
        diary.note("AccountOpened", f"account-{number:05d}", (f"customer-{number:05d}", "human"), moment, data=data)
    return opened


def set_limits(diary: Diary, opened: list[int]) -> None:
    """Note credit limits; every eighth account's third one is back-dated between its first two.

    By ``position`` that third limit is the last and holds; by ``occurred`` the second one does.
    """
    chance = diary.chance
    for number in range(0, len(opened), 4):
        first = move_to_office_hours(opened[number] + chance.between(2 * DAY, 20 * DAY))
        second = move_to_office_hours(first + chance.between(20 * DAY, 60 * DAY))
        third = move_to_office_hours(first + chance.between(DAY, 15 * DAY))
        if second + 30 * DAY >= END:
            continue
        stream, clerk = f"account-{number:05d}", chance.pick(CLERKS)
        for moment in (first, second):
            diary.note("CreditLimitSet", stream, clerk, moment, data=_limit(chance))
        if number % 8 == 0:
            delay = second - third + chance.between(HOUR, 20 * DAY)
            data = _limit(chance) | {"remark": "As agreed on paper, entered afterwards."}
            diary.note("CreditLimitSet", stream, clerk, third, data=data, delay=delay)


def _limit(chance: Chance) -> dict[str, str]:
    return {"limit": format_money(chance.between(1, 41) * 25_000), "currency": CURRENCY}


class Book:
    """Balances in cents, so that nobody takes out what is not there."""

    def __init__(self, diary: Diary, opened: list[int], payouts: list[tuple[int, int, int]]) -> None:
        self.diary, self.chance = diary, diary.chance
        self.opened = opened
        self.balances = [0] * len(opened)
        self.payouts = iter([*sorted(payouts), (END, 0, 0)])
        self.next_payout = next(self.payouts)
        self.receipts = count(100_000)

    def fill(self, size: int) -> None:
        """Note deposits and withdrawals, in the order of time, until the diary holds ``size`` facts."""
        missing = size - len(self.diary.facts)
        if missing <= 0:
            return
        moments = sorted(self.chance.instant(self.opened[0] + HOUR) for _ in range(missing))
        known = 0
        for moment in moments:
            while known < len(self.opened) and self.opened[known] < moment:
                known += 1
            if len(self.diary.facts) >= size:
                return
            self._receive_payouts(moment)
            # Some accounts are far busier than others.
            account = self.chance.between(0, known if self.chance.happens(0.8) else known // 20 + 1)
            self._move(account, moment, room=size - len(self.diary.facts))

    def _receive_payouts(self, moment: int) -> None:
        while self.next_payout[0] <= moment:
            _, account, cents = self.next_payout
            self.balances[account] += cents
            self.next_payout = next(self.payouts)

    def _move(self, account: int, moment: int, *, room: int) -> None:
        if self.balances[account] < 20_000 or self.chance.happens(0.22):  # noqa: PLR2004 — cents: below 200 euros they pay in
            self._deposit(account, moment)
        else:
            self._withdraw(account, moment, room=room)

    def _deposit(self, account: int, moment: int) -> None:
        salary = self.chance.happens(0.5)
        cents = self.chance.between(180_000, 420_000) if salary else self.chance.between(2_000, 90_000)
        if salary:
            moment = max(moment // DAY * DAY + 2 * HOUR, self.opened[account] + SECOND)  # the nightly run: ties
        self.balances[account] += cents
        data = {"amount": format_money(cents), "currency": CURRENCY, "text": "salary" if salary else "transfer"}
        self.diary.note("MoneyDeposited", f"account-{account:05d}", CORE, moment, data=data)

    def _withdraw(self, account: int, moment: int, *, room: int) -> None:
        cents = min(self.chance.between(400, 4_000) + self.chance.skewed(120_000), self.balances[account] - _FEE)
        late = self.chance.happens(_LATE_SHARE)
        delay = self.chance.between(2 * HOUR, 5 * DAY) if late else 0
        delay = min(delay, END - moment - SECOND) if late else 0
        customer = (f"customer-{account:05d}", "human")
        text = "cash machine" if self.chance.happens(0.2) else self.chance.pick(SHOPS)
        data = {"amount": format_money(cents), "currency": CURRENCY, "text": text}
        taken = self.diary.note(
            "MoneyWithdrawn",
            f"account-{account:05d}",
            customer,
            moment,
            data=data,
            delay=delay,
            correlation=f"receipt-{next(self.receipts)}",
        )
        self.balances[account] -= cents
        if room > 1 and text == "cash machine" and self.chance.happens(0.1):
            self._charge(account, taken)
        elif room > 2 and self.chance.happens(0.02):  # noqa: PLR2004 — room for a cancel and its cancel
            self._cancel(account, taken, cents)

    def _charge(self, account: int, taken: Fact) -> None:
        """Note the fee of a withdrawal, at the very same instant: a tie within the stream."""
        data = {"amount": format_money(_FEE), "currency": CURRENCY, "text": "fee"}
        self.diary.note("MoneyWithdrawn", taken.stream, CORE, taken.occurred, data=data, cause=taken)
        self.balances[account] -= _FEE

    def _cancel(self, account: int, taken: Fact, cents: int) -> None:
        moment = move_to_office_hours(taken.recorded + self.chance.between(5 * MINUTE, 3 * DAY))
        if moment + HOUR >= END:
            return
        target = {"cancels": taken.event_id}
        clerk = self.chance.pick(CLERKS)
        unknown = self.chance.happens(0.03)
        if unknown:
            target = {"cancels": "0" * 11}  # a slip: this target never existed
        cancelled = self.diary.note("WithdrawalCancelled", taken.stream, clerk, moment, data=target, cause=taken)
        restored = not unknown and self.chance.happens(0.06)
        if restored:  # a cancel of the cancel: the withdrawal counts again
            again = {"cancels": cancelled.event_id}
            later = moment + self.chance.between(MINUTE, HOUR)
            self.diary.note("WithdrawalCancelled", taken.stream, clerk, later, data=again, cause=cancelled)
        if not unknown and not restored:
            self.balances[account] += cents
