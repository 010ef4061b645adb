"""The dialog of an export as plain values: counts by rule, samples of what one drops, a row, the files."""

from collections.abc import Mapping
from typing import Any

import msgspec

from workbench.apps.answers import Answer
from workbench.apps.deltas_answers import tell_redline, tell_row
from workbench.apps.work import count_work
from workbench.deltas.export.files import Export
from workbench.deltas.structure.numbers import read_value
from workbench.deltas.text.redline import compare_texts
from workbench.session import Session
from workbench.views.deltas.choices import DeltasChoices
from workbench.views.deltas.export import (
    SAMPLES,
    find_row,
    find_splits,
    list_prompt_names,
    load_listed,
    pack_export,
    plan_export,
    preview_plan,
    show_dropped,
    write_command,
)
from workbench.views.deltas.structure import write_lines


def tell_plan(session: Session, choices: DeltasChoices, options: Mapping[str, Any]) -> Answer:
    """Return what a plan would write.

    Among the options ``rule`` is the one of whose proposals ``samples`` are shown, and ``row`` the number of the row.
    """
    export = plan_export(session, choices)
    preview = preview_plan(export, samples=int(options.get("samples", SAMPLES)), tell=count_work)
    dropped = {each.rule: each.dropped for each in preview.rules}
    asked = str(options.get("rule"))
    chosen = asked if asked in dropped else max(dropped, key=lambda rule: dropped[rule], default=None)
    return {
        "plan": msgspec.to_builtins(export.plan),
        "proposals": preview.proposals,
        "formats": dict(preview.formats),
        "kinds": dict(preview.kinds),
        "rules": [
            {"rule": each.rule, "title": each.title, "dropped": each.dropped, "left": each.left}
            for each in preview.rules
        ],
        "rows": dict(preview.rows),
        "distances": list(preview.distances),
        "wrong": list(preview.wrong),
        "splits": find_splits(export),
        "names": list_prompt_names(export),
        "rule": chosen,
        "samples": [tell_row(each) for each in show_dropped(session, export, preview, chosen)],
        "basis": {name: value for name, value in export.basis.items() if name != "filter"},
        "command": write_command(export, is_head=export.basis["position"] == session.head().last),
        "written": _tell_written(session, export, int(options.get("row", 0))),
    }


def tell_written(session: Session, choices: DeltasChoices, options: Mapping[str, Any]) -> Answer:
    """Return the row of a number as it will be written, and the redline of its proposal."""
    return {"written": _tell_written(session, plan_export(session, choices), int(options.get("row", 0)))}


def _tell_written(session: Session, export: Export, number: int) -> Answer | None:
    found = find_row(export, number)
    if found is None:
        return None
    position, row = found
    (listed,) = load_listed(session, export, (position,))
    sides = export.ask(
        "select kind, content, value, value_end from deltas where position = :row", {"row": position}
    ).row(0, named=True)
    proposed, value = read_value(sides["content"]), sides["value_end"] or sides["value"]
    after = proposed if value is None else read_value(value)
    redline = None
    if isinstance(proposed, str) and isinstance(after, str):
        tokenised = session.delta_mappings[sides["kind"]].tokenised
        redline = tell_redline(compare_texts(proposed, after, tokenised=tokenised).operations)
    return {
        "number": number,
        "position": position,
        "json": write_lines(row),
        "redline": redline,
        "text": listed.text,
        "decision": listed.row["decision"],
        "distance": listed.row["distance"],
    }


def answer_write(session: Session, choices: DeltasChoices) -> tuple[Answer, list[bytes]]:
    """Return the manifest, and the files in one archive. The page is told rows and proposals as they are done."""
    manifest, packed = pack_export(plan_export(session, choices), tell=count_work)
    return {"manifest": manifest}, [packed]
