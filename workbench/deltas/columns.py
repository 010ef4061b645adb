"""Columns of `deltas`: what the pairing finds of a proposal, and what is measured of it."""

from typing import Final

# Name → Trino type. Counts are of words or of characters (UTF-16 units where a document is followed), times in seconds.
TEXT_MEASURES: Final = {
    "words_proposed": "bigint",
    "words_value": "bigint",
    "words_kept": "bigint",
    "words_moved": "bigint",
    "words_deleted": "bigint",
    "words_inserted": "bigint",
    "characters_kept": "bigint",
    "characters_moved": "bigint",
    "characters_deleted": "bigint",
    "characters_inserted": "bigint",
    "ter_edits": "bigint",
    "ter_words": "bigint",
    "hter": "double",
    "levenshtein_words": "bigint",
    "levenshtein_words_of": "bigint",
    "levenshtein_characters": "bigint",
    "levenshtein_characters_of": "bigint",
    "chrf": "double",
    "distance": "double",
    "edits": "varchar",
    "places": "varchar",
}
FIELD_MEASURES: Final = {
    "paths_proposed": "bigint",
    "paths_kept": "bigint",
    "paths_changed": "bigint",
    "paths_removed": "bigint",
    "paths_added": "bigint",
    "field_acceptance": "double",
    "patch": "varchar",
}
# Seconds after a text was taken at which is looked what is left of it.
CHECKS: Final = (0, 30, 120, 300, 600, 900)
SPAN_MEASURES: Final = {
    "characters_taken": "bigint",
    **{f"retained_{seconds}": "bigint" for seconds in CHECKS},
    "retained_end": "bigint",
    "first_change": "double",
    "document_seconds": "double",
    "value_end": "varchar",
    "human_inserted_share": "double",
    "human_final_share": "double",
}
MEASURES: Final = {**TEXT_MEASURES, **FIELD_MEASURES, **SPAN_MEASURES, "fallback": "varchar"}
_INSTANT: Final = "timestamp(6) with time zone"
# What the pairing of the log's events gives of a proposal.
PROPOSAL_COLUMNS: Final = {
    "kind": "varchar",
    "proposal_id": "varchar",
    "position": "bigint",
    "event_id": "varchar",
    "stream_id": "varchar",
    "shown_at": _INSTANT,
    "recorded_at": _INSTANT,
    "proposer": "varchar",
    "model": "varchar",
    "version": "varchar",
    "confidence": "double",
    "rationale": "varchar",
    "context": "varchar",
    "content": "varchar",
    "alternatives": "varchar",
    "alternative_count": "bigint",
    "taken": "bigint",
    "hovered": "bigint",
    "decision": "varchar",
    "decision_position": "bigint",
    "decision_event_id": "varchar",
    "decided_at": _INSTANT,
    "person": "varchar",
    "reason": "varchar",
    "value": "varchar",
    "latency": "double",
    "decision_count": "bigint",
    "requested_position": "bigint",
    "applied_position": "bigint",
    "superseded_by": "bigint",
    "fields": "varchar",
}
# ``decided`` is the decision as the log has it, before a change soon after makes "accepted" an "edited".
DELTA_COLUMNS: Final = {**PROPOSAL_COLUMNS, "decided": "varchar", **MEASURES}
