"""Deltas as training data: what a plan would write and what each rule drops, any row of it, and the files in one."""

import io
import shlex
import tempfile
import zipfile
from pathlib import Path
from typing import Any, Final

import msgspec

from workbench.deltas.export import FORMATS, ExportPlan
from workbench.deltas.export_files import Export, Preview, find_rows, preview_export
from workbench.errors import ArgumentError
from workbench.session import Session
from workbench.views.deltas_asking import Asking, make_filter
from workbench.views.deltas_choices import DeltasChoices
from workbench.views.deltas_list import COLUMNS, ListedDelta, list_delta

SAMPLES: Final = 3
# The files of an archive have one time, so that the same export makes the same bytes.
MADE: Final = (1980, 1, 1, 0, 0, 0)


def read_plan(choices: DeltasChoices) -> ExportPlan:
    """Return the plan that a link's ``export`` holds as JSON; the usual one for none. Raises ArgumentError."""
    try:
        return msgspec.json.decode(choices.export or "{}", type=ExportPlan)
    except msgspec.MsgspecError as error:
        raise ArgumentError(
            f"The link says export={choices.export}, which is no plan: {error}. Choose one of {', '.join(FORMATS)}."
        ) from error


def plan_export(session: Session, choices: DeltasChoices) -> Export:
    """Return the export of the deltas chosen, as the log had them at the link's position. Raises ArgumentError."""
    return session.plan_export(read_plan(choices), make_filter(choices), position=choices.position)


def preview_plan(session: Session, choices: DeltasChoices) -> Preview:
    """Return what would be written and what each rule drops; nothing is written."""
    return preview_export(plan_export(session, choices), samples=SAMPLES)


def show_dropped(session: Session, preview: Preview, rule: str | None) -> list[ListedDelta]:
    """Return a few of the proposals a rule drops, as lines of the list."""
    positions = next((each.samples for each in preview.rules if each.rule == rule), ())
    if not positions:
        return []
    names = {f"sample_{number}": position for number, position in enumerate(positions)}
    listed = ", ".join(f":{name}" for name in names)
    rows = Asking(session)(f"select {COLUMNS} from deltas where position in ({listed}) order by position", names)  # noqa: S608 - our own words; values are bound
    return [list_delta(row) for row in rows.iter_rows(named=True)]


def find_row(session: Session, choices: DeltasChoices, *, after: int = -1) -> tuple[int, dict[str, Any]] | None:
    """Return the first row behind a position as it will be written, with its proposal's position; None for none."""
    return next(iter(find_rows(plan_export(session, choices), after=after)), None)


def pack_export(session: Session, choices: DeltasChoices) -> tuple[dict[str, Any], bytes]:
    """Return the manifest, and the files with it as one ZIP archive: the same plan and deltas give the same bytes."""
    from workbench.deltas.export_files import write_export

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "export"
        manifest = write_export(plan_export(session, choices), folder)
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(folder.iterdir()):
                archive.writestr(zipfile.ZipInfo(file.name, MADE), file.read_bytes(), zipfile.ZIP_DEFLATED)
    return manifest, packed.getvalue()


def write_command(choices: DeltasChoices) -> str:
    """Return the command that writes the same from a shell."""
    plan = read_plan(choices)
    words = ["workbench", "deltas", "export", "--format", plan.format]
    words += ["--distance", f"{plan.distance[0]:g}", f"{plan.distance[1]:g}"] if plan.format != "sft" else []
    words += ["--split", plan.split] if plan.split != "none" else []
    words += [] if plan.messages else ["--plain"]
    words += ["--file", plan.file] if plan.file != "jsonl" else []
    words += ["--prompt", plan.prompt] if plan.prompt != "{context}" else []
    for name in ("kind", "version"):
        for value in getattr(choices, name):
            words += [f"--{name}", value] if value is not None else []
    return shlex.join([*words, "--to", "FOLDER"])
