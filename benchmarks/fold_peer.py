"""Run by the Python of an environment with `eventsourcing`: stores accounts once, then replays all of them on demand.

The first line of stdin is JSON: the events of each account as [method, argument]. Each further line asks for a replay,
answered by the seconds it took and by what came of each account.
"""

import json
import sys
import time

from eventsourcing.application import Application  # type: ignore[import-not-found]  # in an environment of its own
from eventsourcing.domain import Aggregate, event  # type: ignore[import-not-found]  # the same


class Account(Aggregate):  # type: ignore[misc]  # untyped here
    """An account as the peer keeps it: the balance and the limit in cents."""

    @event("Opened")  # type: ignore[untyped-decorator]  # the same
    def __init__(self) -> None:
        self.balance, self.illegal = 0, 0
        self.credit: int | None = None
        self.status: str | None = None

    @event("Moved")  # type: ignore[untyped-decorator]  # the same
    def move(self, cents: int) -> None:
        """Put money in, or take it out below zero."""
        self.balance += cents

    @event("LimitChanged")  # type: ignore[untyped-decorator]  # the same
    def limit(self, cents: "int | None") -> None:
        """Set the limit."""
        self.credit = cents

    @event("StatusChanged")  # type: ignore[untyped-decorator]  # the same
    def become(self, status: str) -> None:
        """Take a status; a closed account may only become active."""
        self.illegal += self.status == "closed" and status != "active"
        self.status = status


def main() -> None:
    from importlib.metadata import version

    application = Application()
    names = {}
    count = 0
    for name, events in json.loads(sys.stdin.readline()).items():
        account = Account()
        for method, argument in events:
            getattr(account, method)(argument)
        application.save(account)
        names[name] = account.id
        count += len(events)
    print(json.dumps({"version": version("eventsourcing"), "events": count}), flush=True)
    for _ in sys.stdin:
        begin = time.perf_counter()
        accounts = {name: application.repository.get(key) for name, key in names.items()}
        seconds = time.perf_counter() - begin
        states = {name: [one.balance, one.credit, one.status, one.illegal] for name, one in accounts.items()}
        print(json.dumps({"seconds": seconds, "states": states}), flush=True)


if __name__ == "__main__":
    main()
