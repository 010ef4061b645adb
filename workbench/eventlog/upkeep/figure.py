"""One figure of how a log stands."""

from typing import Literal

import msgspec

Verdict = Literal["good", "note", "bad"]


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One figure: ``good``, a ``note`` worth knowing, or ``bad``; ``remedy`` says what to do."""

    check: str
    verdict: Verdict
    found: str
    remedy: str | None = None
