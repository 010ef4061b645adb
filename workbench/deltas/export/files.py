"""Preview an export, and write it: files beside a manifest, all of them or none."""

import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any, Final

import msgspec

from workbench.deltas.export.rows import check_row, write_row
from workbench.deltas.export.rules import KINDS, RULES_OF, Candidate, ExportPlan, Judge, Kind, name_rule, read_candidate
from workbench.deltas.export.sheets import open_sheet
from workbench.deltas.export.split import Placed, split_by_person, split_by_time
from workbench.deltas.figures.aggregates import Ask
from workbench.deltas.figures.filters import Chosen, DeltaFilter
from workbench.errors import ArgumentError

BATCH: Final = 5_000
# So many proposals are judged between two words about how far it is.
TELL_EVERY: Final = 500
BINS: Final = 20
_COLUMNS: Final = (
    *("position", "proposal_id", "kind", "model", "version", "person", "stream_id", "decision", "shown_at"),
    *("context", "content", "value", "value_end", "fields", "hter", "distance"),
)
MANIFEST: Final = "manifest.json"
Progress = Callable[[int, int], None]


class Dropped(msgspec.Struct, frozen=True, kw_only=True):
    """A rule, what it says, how many proposals it drops and leaves, and the first of those it drops, by position."""

    rule: str
    title: str
    dropped: int
    left: int
    samples: tuple[int, ...] = ()


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What an export would write.

    ``rules`` in their order; ``rows`` by part; ``kinds`` how many rows there are of each kind, whatever the format, and
    ``formats`` how many rows each format would have; ``distances`` how many pairs lie in each twentieth of [0, 1]
    before the thresholds; ``wrong`` what rows break of their format's rules.
    """

    proposals: int
    rules: tuple[Dropped, ...]
    rows: Mapping[str, int]
    kinds: Mapping[str, int]
    formats: Mapping[str, int]
    distances: tuple[int, ...]
    wrong: tuple[str, ...]


class Basis(msgspec.Struct, frozen=True, kw_only=True):
    """What a manifest repeats of the log."""

    position: int
    registry_hash: str
    mappings_hash: str
    filter: dict[str, Any]


class Export(msgspec.Struct, frozen=True, kw_only=True):
    """Deltas to be exported, and how: ``basis`` is what the manifest repeats of them, ``fields`` the mappings' own."""

    ask: Ask
    chosen: Chosen
    plan: ExportPlan
    name: str
    basis: Mapping[str, Any]
    fields: tuple[str, ...] = ()


def preview_export(export: Export, *, samples: int = 3, progress: Progress | None = None) -> Preview:
    """Return what an export would write, and what each rule drops. Nothing is written. Raises ArgumentError.

    ``progress`` is told rows and proposals so far; what it raises ends it.
    """
    counts: dict[Kind, Counter[str | None]] = {kind: Counter() for kind in RULES_OF}
    found: dict[str, list[int]] = {}
    parts: Counter[str] = Counter()
    distances = [0] * BINS
    wrong: Counter[str] = Counter()
    total = 0
    for candidate, dropped in _judge(export, tuple(RULES_OF)):
        total += 1
        for kind, rule in dropped.items():
            counts[kind][rule] += 1
        shown = _shown(export.plan)
        if dropped[shown] is not None and len(found.setdefault(str(dropped[shown]), [])) < samples:
            found[str(dropped[shown])].append(candidate.position)
        if dropped["pair"] in (None, "near", "far", "spread", "empty") and candidate.distance is not None:
            distances[min(int(candidate.distance * BINS), BINS - 1)] += 1
        for kind in KINDS[export.plan.format]:
            if dropped[kind] is None:
                parts[candidate.split or "all"] += 1
                wrong.update(check_row(write_row(candidate, export.plan, kind), export.plan))
        if progress is not None and total % TELL_EVERY == 0:
            progress(parts.total(), total)
    if progress is not None:
        progress(parts.total(), total)
    formats = {str(name): sum(counts[kind][None] for kind in kinds) for name, kinds in KINDS.items()}
    return Preview(
        proposals=total,
        rules=tuple(_list_rules(export.plan, counts[_shown(export.plan)], total, found)),
        rows=dict(sorted(parts.items())),
        kinds={kind: counts[kind][None] for kind in RULES_OF},
        formats=formats,
        distances=tuple(distances),
        wrong=tuple(f"{sentence} ({rows} rows)" for sentence, rows in sorted(wrong.items())),
    )


def find_rows(export: Export, *, first: int = 0, limit: int = 1) -> list[tuple[int, dict[str, Any]]]:
    """Return rows as they will be written, each with its proposal's position, the first being number 0."""
    kept = (
        (candidate, kind)
        for candidate, dropped in _judge(export, KINDS[export.plan.format])
        for kind, rule in dropped.items()
        if rule is None
    )
    return [
        (candidate.position, write_row(candidate, export.plan, kind))
        for candidate, kind in islice(kept, first, first + limit)
    ]


def write_export(export: Export, folder: Path, *, progress: Progress | None = None) -> dict[str, Any]:
    """Write the files of an export and its manifest into a new folder, and return the manifest.

    The same export writes the same bytes. ``progress`` is told rows written and proposals read; what it raises ends it,
    and nothing is left. Raises ArgumentError where the folder holds something already.
    """
    if folder.exists() and any(folder.iterdir()):
        raise ArgumentError(f"{folder} is not empty. Name a folder that is not there yet.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        manifest = _write_files(export, making, progress)
        (making / MANIFEST).write_text(write_manifest(manifest), encoding="utf-8")
        if folder.exists():
            folder.rmdir()
        making.rename(folder)
    except BaseException:
        shutil.rmtree(making, ignore_errors=True)
        raise
    return manifest


def write_manifest(manifest: Mapping[str, Any]) -> str:
    """Return a manifest's text."""
    return json.dumps(manifest, ensure_ascii=False, indent=2) + "\n"


def read_manifest(file: Path) -> tuple[ExportPlan, DeltaFilter, dict[str, Any]]:
    """Return the plan, the filter and the basis that a manifest repeats. Raises ArgumentError for any other file."""
    try:
        manifest = msgspec.json.decode(file.read_bytes())
        plan = msgspec.convert(manifest["plan"], ExportPlan)
        basis = msgspec.convert(manifest["basis"], Basis)
        return plan, msgspec.convert(basis.filter, DeltaFilter), msgspec.structs.asdict(basis)
    except (OSError, KeyError, TypeError, msgspec.MsgspecError) as error:
        raise ArgumentError(
            f"{file} is no manifest of an export: {error}. Name the manifest.json beside its files."
        ) from error


def _write_files(export: Export, folder: Path, progress: Progress | None) -> dict[str, Any]:
    plan = export.plan
    counts: Counter[str | None] = Counter()
    total = rows = 0
    shown = _shown(plan)
    with ExitStack() as stack:
        sheets: dict[str, Any] = {}
        for candidate, dropped in _judge(export, KINDS[plan.format]):
            total += 1
            counts[dropped[shown]] += 1
            for kind, rule in dropped.items():
                if rule is None:
                    part = candidate.split or "all"
                    if part not in sheets:
                        name = f"{export.name}-{plan.format}-{part}.{plan.file}"
                        sheets[part] = stack.enter_context(open_sheet(folder / name, plan))
                    sheets[part].add(write_row(candidate, plan, kind))
                    rows += 1
            if progress is not None and total % TELL_EVERY == 0:
                progress(rows, total)
    if progress is not None:
        progress(rows, total)
    manifest = {
        "log": export.name,
        "basis": dict(export.basis),
        "plan": msgspec.to_builtins(plan),
        "proposals": total,
        "rules": [{"rule": each.rule, "dropped": each.dropped} for each in _list_rules(plan, counts, total, {})],
        "rows": rows,
        "files": [_describe(folder / sheet.path.name, sheet.rows) for _, sheet in sorted(sheets.items())],
    }
    return {**manifest, "sha256": sha256(write_manifest(manifest).encode()).hexdigest()}


def _describe(file: Path, rows: int) -> dict[str, Any]:
    with file.open("rb") as opened:
        hashed = sha256()
        while block := opened.read(1 << 20):
            hashed.update(block)
    return {"name": file.name, "rows": rows, "bytes": file.stat().st_size, "sha256": hashed.hexdigest()}


def _shown(plan: ExportPlan) -> Kind:
    """Return the kind whose rules are listed: of KTO those of its noes, which are more."""
    return KINDS[plan.format][-1]


def _list_rules(
    plan: ExportPlan, counts: Counter[str | None], total: int, found: Mapping[str, Sequence[int]]
) -> Iterator[Dropped]:
    left = total
    for rule in RULES_OF[_shown(plan)]:
        left -= counts[rule]
        yield Dropped(
            rule=rule,
            title=name_rule(rule, plan),
            dropped=counts[rule],
            left=left,
            samples=tuple(found.get(rule, ())),
        )


def _judge(export: Export, kinds: Sequence[Kind]) -> Iterator[tuple[Candidate, dict[Kind, str | None]]]:
    """Yield the proposals chosen by position, each with the rule that drops it as rows of a kind."""
    judge, parts = Judge(export.plan), _split(export)
    if export.plan.split != "none":
        for candidate in _read(export, parts):
            judge.note(candidate)
    for candidate in _read(export, parts):
        yield candidate, {kind: judge.find_rule(candidate, kind) for kind in kinds}


def _read(export: Export, parts: Mapping[int, str]) -> Iterator[Candidate]:
    columns = ", ".join(_COLUMNS)
    after = -1
    while True:
        statement = export.chosen.select(columns, f"where position > :after order by position limit {BATCH}")
        rows = export.ask(statement, {**export.chosen.parameters, "after": after})
        for row in rows.iter_rows(named=True):
            yield read_candidate(row, export.plan, _part_of(row, export.plan, parts), export.fields)
        if rows.height < BATCH:
            return
        after = int(rows["position"][-1])


def _part_of(row: Mapping[str, Any], plan: ExportPlan, parts: Mapping[int, str]) -> str | None:
    if plan.split != "log":
        return parts.get(row["position"])
    found = msgspec.json.decode(row["fields"] or "{}").get("split")
    if found is None:
        raise ArgumentError(
            f"The proposal at position {row['position']} has no field `split`. Name one in the mapping's `fields`, or "
            "split by time or person."
        )
    return str(found)


def _split(export: Export) -> dict[int, str]:
    plan = export.plan
    if plan.split not in ("time", "person"):
        return {}
    statement = export.chosen.select("position, shown_at, stream_id, person", "order by position")
    placed = [Placed(*row) for row in export.ask(statement, export.chosen.parameters).iter_rows()]
    if plan.split == "person":
        if all(each.person is None for each in placed):
            raise ArgumentError("This log names no person for any proposal. Split by time, or as in the log.")
        return split_by_person(placed, plan.shares)
    if len({each.shown_at for each in placed}) < len(plan.shares) and placed:
        raise ArgumentError("All proposals were shown at one time, so time cannot split them. Split by person.")
    return split_by_time(placed, plan.shares)
