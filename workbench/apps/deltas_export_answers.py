"""The dialog of an export as plain values: counts by rule, samples of what one drops, a row, the files."""

from collections.abc import Mapping
from typing import Any

import msgspec

from workbench.apps.answers import Answer
from workbench.apps.deltas_answers import tell_row
from workbench.deltas.numbers import read_value
from workbench.deltas.redline import compare_texts
from workbench.session import Session
from workbench.views.deltas_choices import DeltasChoices
from workbench.views.deltas_export import (
    find_row,
    pack_export,
    plan_export,
    preview_plan,
    read_plan,
    show_dropped,
    write_command,
)
from workbench.views.deltas_list import list_delta
from workbench.views.deltas_structure import write_lines


def tell_plan(session: Session, choices: DeltasChoices, options: Mapping[str, Any]) -> Answer:
    """Return what a plan would write; ``rule`` among the options is the one whose proposals are shown."""
    plan, preview = read_plan(choices), preview_plan(session, choices)
    dropped = {each.rule: each.dropped for each in preview.rules}
    asked = str(options.get("rule"))
    chosen = asked if asked in dropped else max(dropped, key=lambda rule: dropped[rule], default=None)
    return {
        "plan": msgspec.to_builtins(plan),
        "proposals": preview.proposals,
        "formats": dict(preview.formats),
        "rules": [
            {"rule": each.rule, "title": each.title, "dropped": each.dropped, "left": each.left}
            for each in preview.rules
        ],
        "rows": dict(preview.rows),
        "distances": list(preview.distances),
        "wrong": list(preview.wrong),
        "rule": chosen,
        "samples": [tell_row(each) for each in show_dropped(session, preview, chosen)],
        "basis": {name: value for name, value in plan_export(session, choices).basis.items() if name != "filter"},
        "command": write_command(choices),
        **tell_written(session, choices, {}),
    }


def tell_written(session: Session, choices: DeltasChoices, options: Mapping[str, Any]) -> Answer:
    """Return the row behind a position as it will be written, and the redline of its proposal."""
    found = find_row(session, choices, after=int(options.get("after", -1)))
    if found is None:
        return {"written": None}
    position, row = found
    sides = session.ask("select * from deltas where position = :row", {"row": position}).row(0, named=True)
    listed = list_delta({**sides, "retained": None})
    proposed, value = read_value(sides["content"]), sides["value_end"] or sides["value"]
    after = proposed if value is None else read_value(value)
    redline = None
    if isinstance(proposed, str) and isinstance(after, str):
        redline = [[each.kind, each.text, each.move] for each in compare_texts(proposed, after).operations]
    return {
        "written": {"position": position, "json": write_lines(row), "redline": redline, "text": listed.text},
    }


def answer_write(session: Session, choices: DeltasChoices) -> tuple[Answer, list[bytes]]:
    """Return the manifest, and the files in one archive."""
    manifest, packed = pack_export(session, choices)
    return {"manifest": manifest}, [packed]
