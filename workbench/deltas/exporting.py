"""Exports for training, asked of a session."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from workbench.deltas.questions import DeltaQuestions
from workbench.errors import ArgumentError

if TYPE_CHECKING:
    from workbench.deltas.export.files import Export, Preview
    from workbench.deltas.export.rules import ExportPlan
    from workbench.deltas.figures.filters import DeltaFilter

Progress = Callable[[int, int], None]


class Exports(DeltaQuestions):
    """What a session writes of deltas for training; docs/training.md says what each rule drops."""

    def preview_export(self, plan: "ExportPlan", wanted: "DeltaFilter") -> "Preview":
        """Return what an export would write and what each rule drops; nothing is written.

        Raises ArgumentError for a plan that this log cannot follow, DeltaMappingError.
        """
        from workbench.deltas.export.files import preview_export

        return preview_export(self.plan_export(plan, wanted))

    def export_deltas(
        self, folder: str | Path, plan: "ExportPlan", wanted: "DeltaFilter", *, progress: Progress | None = None
    ) -> dict[str, Any]:
        """Write deltas for training into a new folder, and return the manifest that stands there beside the files.

        ``progress`` is told rows written and proposals read; what it raises ends it, and nothing is left. Raises
        ArgumentError where the folder holds something, and what `preview_export` raises.
        """
        from workbench.deltas.export.files import write_export

        return write_export(self.plan_export(plan, wanted), Path(folder), progress=progress)

    def export_again(
        self, folder: str | Path, manifest: str | Path, *, progress: Progress | None = None
    ) -> dict[str, Any]:
        """Write what a manifest says once more, byte for byte, also when the log has grown since.

        Raises ArgumentError where the log is another one by now: other mappings, other schemas, or not so far.
        """
        from workbench.deltas.export.files import read_manifest, write_export

        plan, wanted, basis = read_manifest(Path(manifest))
        export = self.plan_export(plan, wanted, position=basis["position"])
        for name in ("registry_hash", "mappings_hash"):
            if basis[name] != export.basis[name]:
                raise ArgumentError(
                    f"{manifest} was made with another {name.removesuffix('_hash')} ({basis[name][:12]}) than this log "
                    f"has now ({export.basis[name][:12]}). Put that one back, or export anew."
                )
        return write_export(export, Path(folder), progress=progress)

    def plan_export(self, plan: "ExportPlan", wanted: "DeltaFilter", *, position: int | None = None) -> "Export":
        """Return an export of the deltas a filter leaves, as the log had them at a position, by default its head."""
        from workbench.deltas.export.files import Export
        from workbench.deltas.figures.filters import choose
        from workbench.deltas.mapping import hash_mappings

        self.check_deltas()
        head = self.head().last
        at = head if position is None else self._check_position(position)
        basis: Mapping[str, Any] = {
            "position": at,
            "registry_hash": self.registry.hash,
            "mappings_hash": hash_mappings(self.delta_mappings),
            "filter": msgspec.to_builtins(wanted),
        }
        return Export(
            ask=self.asking_at(at),
            chosen=choose(wanted),
            plan=plan,
            name=self.settings.name,
            basis=basis,
            fields=tuple(dict.fromkeys(name for mapping in self.delta_mappings.values() for name in mapping.fields)),
        )
