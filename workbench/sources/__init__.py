"""Raw records come in: one file a format, and the synthetic demo log."""

from workbench.sources.base import MappedChunk, RecordChunk, Source
from workbench.sources.guess import list_formats, open_source
from workbench.sources.mapping import Mapping, load_mapping

__all__ = ["MappedChunk", "Mapping", "RecordChunk", "Source", "list_formats", "load_mapping", "open_source"]
