"""Deltas as training data: what a plan would write and what each rule drops, any row of it, and the files in one."""

import io
import shlex
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from workbench.deltas.export.files import Export, Preview, find_rows, preview_export, write_export
from workbench.deltas.export.rules import FORMATS, ExportPlan
from workbench.deltas.figures.filters import DeltaFilter, field_at
from workbench.errors import ArgumentError
from workbench.session import Session
from workbench.views.deltas.asking import make_filter
from workbench.views.deltas.choices import DeltasChoices
from workbench.views.deltas.listing import COLUMNS, ListedDelta, list_delta
from workbench.views.place import write_time

SAMPLES: Final = 3
MOST_SAMPLES: Final = 500
# The files of an archive have one time, so that the same export makes the same bytes.
MADE: Final = (1980, 1, 1, 0, 0, 0)
# What the command line can narrow by: field of the filter → option.
OPTIONS: Final = {
    "kinds": "--kind",
    "decisions": "--decision",
    "models": "--model",
    "versions": "--prompt-version",
    "persons": "--person",
    "stream_ids": "--stream",
    "since": "--since",
    "until": "--until",
}
# Is told proposals done, of those there are, and the rows made of them.
Tell = Callable[[int, int, int], None]


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


def preview_plan(export: Export, *, samples: int = SAMPLES, tell: Tell | None = None) -> Preview:
    """Return what would be written and what each rule drops; nothing is written."""
    return preview_export(export, samples=min(samples, MOST_SAMPLES), progress=_telling(export, tell))


def _telling(export: Export, tell: Tell | None) -> Callable[[int, int], None] | None:
    if tell is None:
        return None
    known = int(export.ask(export.chosen.select("count(*) as proposals"), export.chosen.parameters).item())
    return lambda rows, proposals: tell(proposals, known, rows)


def find_splits(export: Export) -> dict[str, str | None]:
    """Return for each way to split why it cannot be done with these deltas, None where it can."""
    columns = (
        "count(*) as shown, count(person) as people, count(distinct shown_at) as times, "
        f"count({field_at('split')}) as named"
    )
    found = export.ask(export.chosen.select(columns), export.chosen.parameters).row(0, named=True)
    return {
        "none": None,
        "log": None if found["named"] == found["shown"] else "the mapping names no field “split” for all of them",
        "time": None if found["times"] >= len(export.plan.shares) else "all were shown at one time",
        "person": None if found["people"] else "no person is recorded",
    }


def list_prompt_names(export: Export) -> list[str]:
    """Return what a prompt template may hold."""
    return ["context", "model", "version", "kind", *export.fields]


def show_dropped(session: Session, export: Export, preview: Preview, rule: str | None) -> list[ListedDelta]:
    """Return the proposals sampled of those a rule drops, as lines of the list."""
    positions = next((each.samples for each in preview.rules if each.rule == rule), ())
    return load_listed(session, export, positions)


def load_listed(session: Session, export: Export, positions: tuple[int, ...]) -> list[ListedDelta]:
    """Return proposals as lines of the list, by position."""
    if not positions:
        return []
    names = {f"sample_{number}": position for number, position in enumerate(positions)}
    listed = ", ".join(f":{name}" for name in names)
    rows = export.ask(f"select {COLUMNS} from deltas where position in ({listed}) order by position", names)  # noqa: S608 - our own words; values are bound
    mappings = session.delta_mappings
    return [list_delta(row, tokenised=mappings[row["kind"]].tokenised) for row in rows.iter_rows(named=True)]


def find_row(export: Export, number: int = 0) -> tuple[int, dict[str, Any]] | None:
    """Return a row as it will be written, counted by 0, with its proposal's position; None behind the last."""
    return next(iter(find_rows(export, first=number)), None)


def pack_export(export: Export, *, tell: Tell | None = None) -> tuple[dict[str, Any], bytes]:
    """Return the manifest, and the files with it as one ZIP archive: the same plan and deltas give the same bytes."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "export"
        manifest = write_export(export, folder, progress=_telling(export, tell))
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(folder.iterdir()):
                archive.writestr(zipfile.ZipInfo(file.name, MADE), file.read_bytes(), zipfile.ZIP_DEFLATED)
    return manifest, packed.getvalue()


def write_command(export: Export, *, is_head: bool) -> str:
    """Return the command that writes the same from a shell.

    What its options cannot say, a position before the head among it, it takes from the manifest of what was written.
    """
    words = _write_options(msgspec.convert(export.basis["filter"], DeltaFilter)) if is_head else None
    if words is None or export.plan.shares != ExportPlan().shares:
        return "workbench deltas export --manifest manifest.json --to FOLDER"
    return shlex.join(["workbench", "deltas", "export", *_write_plan(export.plan), *words, "--to", "FOLDER"])


def _write_plan(plan: ExportPlan) -> list[str]:
    words = ["--format", plan.format]
    words += ["--distance", repr(plan.distance[0]), repr(plan.distance[1])] if plan.format != "sft" else []
    words += ["--split", plan.split] if plan.split != "none" else []
    words += [] if plan.messages else ["--plain"]
    words += ["--parquet"] if plan.file == "parquet" else []
    return words + ([f"--prompt={plan.prompt}"] if plan.prompt != ExportPlan().prompt else [])


def _write_options(wanted: DeltaFilter) -> list[str] | None:
    words: list[str] = []
    for name, value in _narrowed(wanted).items():
        if name not in OPTIONS:
            return None
        values = value if isinstance(value, (list, tuple)) else [write_time(value)]
        if None in values:
            return None
        words += [f"{OPTIONS[name]}={each}" for each in values]
    return words


def _narrowed(wanted: DeltaFilter) -> Mapping[str, Any]:
    nothing: tuple[Any, ...] = (None, (), [], {})
    return {name: value for name, value in msgspec.structs.asdict(wanted).items() if value not in nothing}
