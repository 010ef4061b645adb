"""Every error the workbench raises on purpose, one small class each.

A message says what failed, the value at fault, what is possible and what to do next. A driver's exception is the
cause (``__cause__``), never the message.
"""


class WorkbenchError(Exception):
    """The root: catch this to catch everything the workbench refuses or fails at."""


class ConfigError(WorkbenchError):
    """A setting is missing, unknown or has a value that cannot be used."""


class MissingExtraError(WorkbenchError):
    """An optional package is needed; the message holds the command that installs it."""


class SourceError(WorkbenchError):
    """A source cannot be read: absent, empty, truncated, of another kind than named, or not permitted."""


class MappingError(WorkbenchError):
    """A mapping file is not valid, or does not fit the columns of its source."""


class RegistryError(WorkbenchError):
    """Schemas or upcasters are not consistent: a gap, a cycle, a duplicate, or a chain that ends too early."""


class InvalidEventError(WorkbenchError):
    """An event given to append cannot be an event of the log."""


class EventConflictError(WorkbenchError):
    """A known (source, event_id) came again with other content; nothing of the batch was written."""


class ExpectedVersionError(WorkbenchError):
    """A stream is not at the version the writer expected; nothing of the batch was written."""


class ClockSkewError(WorkbenchError):
    """The writer's clock, or an imported recording time, does not fit the log's; both times are named."""


class ForeignWriteError(WorkbenchError):
    """Someone else's snapshot added or removed rows of ``events``; an administrator may adopt them as a source."""


class LogBusyError(WorkbenchError):
    """The log stayed taken by other writers for longer than the time allowed."""


class CommitUnknownError(WorkbenchError):
    """A commit's outcome could not be found out; append the same events again, known ones are not doubled."""


class StorageError(WorkbenchError):
    """Reading or writing the log's files failed: no space, no permission, a damaged or missing file."""


class ReadOnlyLogError(WorkbenchError):
    """The log is mapped from someone else's table, or lies where this process may not write."""


class UnsupportedOnThisLogError(WorkbenchError):
    """A question this log cannot answer, with the reason (for example: it has no position column)."""


class QueryRefusedError(WorkbenchError):
    """A statement was refused before anything ran; the message names the word at fault."""


class QueryFailedError(WorkbenchError):
    """The engine could not run a statement that was allowed."""


class QueryTimeoutError(WorkbenchError):
    """A statement ran longer than the time limit and was stopped."""


class RowLimitError(WorkbenchError):
    """An answer has more rows than the limit; nothing of it is returned."""


class UnknownEventError(WorkbenchError):
    """No event or record is known under the name or position given."""


class ArgumentError(WorkbenchError, ValueError):
    """An argument has a value that is not possible, such as a time without a zone."""


class EngineUnreachableError(WorkbenchError):
    """The server that runs statements, or the store of its answers, cannot be reached; the message names the part."""


class ProjectionError(WorkbenchError):
    """A projection cannot be used: an unknown field or rule, a wrong kind, or a value its rule cannot take."""


class UnknownProjectionError(WorkbenchError):
    """No projection has the name given; the message lists those there are."""


class UnknownEntityError(WorkbenchError):
    """No event of the log, or none by the moment asked about, touches the entity given."""


class ReadModelError(WorkbenchError):
    """States kept beside the log belong to another declaration, or there is no place for more."""


class DeltaMappingError(WorkbenchError):
    """A ``[deltas.NAME]`` mapping cannot be used: an unknown word, a path that is none, or parts that do not fit."""
