"""The actions that were expected of an agent, each held against the call that comes nearest to it.

**The rule.** Only calls of the agent count, not those that the user made on a device of their own. An expected action
*matches* the first call with its name and equal arguments. Else it *differs* from the call of its name whose arguments
have most members in common with it, name and value; of several the first. Else it was *never made*. One call may be
held against several actions: nobody said how often it was to be made. Of the 1,142 actions expected in tau2's 280 runs
713 match, 78 differ, 351 were never made; tau2's own check lets the user's calls count too, and has no nearest one.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

MATCHED: Final = "ActionMatched"
DIFFERED: Final = "ActionDiffered"
MISSED: Final = "ActionMissed"


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A call of a tool: the event it became, its name and its arguments."""

    event_id: str
    name: str | None
    arguments: Any
    is_agents: bool


def judge_action(action: dict[str, Any], calls: Sequence[Call]) -> tuple[str, Call | None]:
    """Return the type of event that an expected action is, and the call it is held against, None where never made."""
    named = [call for call in calls if call.is_agents and call.name == action.get("name")]
    wanted = action.get("arguments")
    equal = next((call for call in named if call.arguments == wanted), None)
    if equal is not None:
        return MATCHED, equal
    nearest = max(named, key=lambda call: _count_common(call.arguments, wanted), default=None)
    return (MISSED, None) if nearest is None else (DIFFERED, nearest)


def _count_common(made: Any, wanted: Any) -> int:
    if not isinstance(made, dict) or not isinstance(wanted, dict):
        return 0
    return sum(name in made and made[name] == value for name, value in wanted.items())
