"""The questions of replay that a session answers: state, history, blame, what differs, and what would have been."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from workbench.replay.asking import Instant
from workbench.replay.models.read_models import Models

if TYPE_CHECKING:
    import polars as pl

    from workbench.decode.registry import Registry
    from workbench.event import Event
    from workbench.replay.folding.cut import Cut
    from workbench.replay.history.story import Story
    from workbench.replay.projection import Projection

# Events of an entity that are kept after a question: a hundred bytes each, and a payload.
REMEMBERED: Final = 100_000


class Questions(Models):
    """What a session can be asked of states. A projection is given as a value, or by the name it is declared under."""

    _told: "tuple[tuple[Any, ...], Story] | None" = None

    def state(
        self,
        projection: "str | Projection",
        *,
        as_of: Instant | None = None,
        known_at: Instant | None = None,
        position: int | None = None,
        stream_id: str | None = None,
    ) -> "pl.DataFrame":
        """Return the state of every entity, or of one, at a moment: one row per entity, ordered by it.

        ``as_of`` counts what had happened by then, ``known_at`` what the log held by then, ``position`` the events
        up to that one. Columns: entity_id; the fields, json, sets, lists and merges as JSON text; event_count;
        position and occurred_at, the greatest of the events counted; notes (JSON text: illegal moves, capped items,
        events that could not be read, by field), null where there is nothing to say. Null is no value.
        Raises UnknownProjectionError, UnknownEntityError, ArgumentError, ProjectionError.
        """
        chosen, cut = self.projection(projection), self._moment(as_of, known_at, position)
        states = self._states(chosen, cut, stream_id)
        if stream_id is not None and not states.height:
            self._explain_absence(chosen, stream_id, cut)
        return states

    def history(
        self,
        projection: "str | Projection",
        stream_id: str,
        *,
        as_of: Instant | None = None,
        known_at: Instant | None = None,
        position: int | None = None,
    ) -> "pl.DataFrame":
        """Return the events of one entity in the projection's order, each with the state after it.

        Columns: position, event_id, event_type, occurred_at, recorded_at, actor_id, actor_kind, causation_id; effect
        (what a cancel did); changed (JSON text: before and after, by field); illegal (JSON text: field, from, to);
        error (why a field could not take the event's value; history goes on); state (canonical JSON text).
        Raises what `state` raises.
        """
        from workbench.replay.history.story import frame_history

        return frame_history(self._tell(projection, stream_id, self._moment(as_of, known_at, position)))

    def blame(
        self,
        projection: "str | Projection",
        stream_id: str,
        *,
        as_of: Instant | None = None,
        known_at: Instant | None = None,
        position: int | None = None,
    ) -> "pl.DataFrame":
        """Return, for each field of an entity's state, its value and the event that set it.

        Columns: field; value (JSON text); position, event_id, event_type, actor_id, actor_kind, occurred_at and
        recorded_at of that event; again_position, the last event that set the same value again; proposal_event_id and
        proposal_actor_id, the event of an AI that led to it; upcast ("1 → 3" where the payload was lifted); earlier
        (JSON text: position and value, oldest first). A field that nothing has set has nulls. Raises what `state`
        raises.
        """
        from workbench.replay.history.story import find_setters, frame_blame, settle_story
        from workbench.replay.provenance import find_proposals, find_written_versions

        story = self._tell(projection, stream_id, self._moment(as_of, known_at, position))
        settled = settle_story(story)
        setters = find_setters(settled)
        facts = list(setters.values())
        proposals = find_proposals(self._ask, story.facts, facts)
        return frame_blame(settled, setters, proposals, find_written_versions(self._ask, self.registry, facts))

    def _tell(self, named: "str | Projection", entity: str, cut: "Cut") -> "Story":
        """Return what an entity's events did; that of the last question is kept, as blame follows history.

        Raises UnknownEntityError where no event of the cut touches it.
        """
        from workbench.replay.history.story import load_story

        projection = self.projection(named)
        key = (projection.hash, projection.reduce, entity, cut, self.head())
        known = self._told
        if known is not None and known[0] == key:
            return known[1]
        story = load_story(self._ask, projection, entity, cut)
        if not story.told.kept:
            self._explain_absence(projection, entity, cut)
        self._told = (key, story) if story.events.height <= REMEMBERED else None
        return story

    def diff(
        self,
        projection: "str | Projection",
        *,
        before: Instant | int,
        after: Instant | int,
        known_at: Instant | None = None,
        stream_id: str | None = None,
    ) -> "pl.DataFrame":
        """Return what is otherwise at one moment than at another, each an instant or a position.

        Columns: entity_id, field, before, after (canonical JSON texts; null where the entity was not there yet),
        ordered by entity and field. Raises ArgumentError, UnknownProjectionError.
        """
        from workbench.replay.differences import compare_states

        chosen = self.projection(projection)
        cuts = [
            self._moment(None, known_at, moment) if isinstance(moment, int) else self._moment(moment, known_at, None)
            for moment in (before, after)
        ]
        frames = [self._states(chosen, cut, stream_id) for cut in cuts]
        if stream_id is not None and not any(frame.height for frame in frames):
            self._explain_absence(chosen, stream_id, cuts[1])
        return compare_states(frames[0], frames[1], chosen)

    def compare(
        self,
        projection: "str | Projection",
        other: "str | Projection",
        *,
        as_of: Instant | None = None,
        position: int | None = None,
        limit: int = 100,
    ) -> "pl.DataFrame":
        """Return the entities whose states two projections, or two versions of one, show otherwise, and since when.

        Columns: entity_id, field, one, other (canonical JSON texts at the moment); position, event_id and event_type of
        the first event after which they part, for the first ``limit`` entities. Fields that only one has are left out.
        """
        from workbench.replay.frames import frame_partings

        one, two, cut = self.projection(projection), self.projection(other), self._moment(as_of, None, position)
        return frame_partings(self._ask, one, two, cut, limit=limit)

    def what_if(  # noqa: PLR0913 - one hypothesis has many parts, all keyword-only
        self,
        projection: "str | Projection",
        *,
        stream_id: str | None = None,
        without: Sequence[str] = (),
        insert: "Sequence[Event]" = (),
        until: int | None = None,
        other: "str | Projection | None" = None,
        decoders: "str | Registry | None" = None,
        as_of: Instant | None = None,
        known_at: Instant | None = None,
    ) -> "pl.DataFrame":
        """Return the states as they are beside what they would be. Nothing is written.

        ``without`` are event_ids set aside; ``insert`` events assumed behind the head; ``until`` the last position that
        counts; ``other`` folds with another projection; ``decoders`` lifts payloads with another registry, or with
        "stored" not at all. Asked about are ``stream_id``, else the entities that the events named touch.
        Columns: entity_id, field, true_value, what_if_value (canonical JSON texts), differs.
        Raises UnknownEventError, ArgumentError and what `state` raises.
        """
        from workbench.replay.facts import load_facts
        from workbench.replay.frames import frame_contrasts
        from workbench.replay.what_if import check_known, contrast_states, imagine_facts, write_states

        chosen, cut = self.projection(projection), self._moment(as_of, known_at, None)
        assumed = self._assume(insert)
        entities = self._entities(chosen, stream_id, without, assumed)
        facts = load_facts(self._ask, chosen, entities, cut)
        check_known(facts, without)
        read = self._reread(facts, decoders)
        imagined = imagine_facts(read, without=without, insert=assumed, until=until)
        true = write_states(chosen, facts)
        what_if = write_states(self.projection(other) if other is not None else chosen, imagined)
        kept = [{name: states[name] for name in entities if name in states} for states in (true, what_if)]
        return frame_contrasts(contrast_states(*kept))

    def late(
        self,
        projection: "str | Projection",
        *,
        as_of: Instant,
        known_at: Instant,
        stream_id: str | None = None,
    ) -> "pl.DataFrame":
        """Return the events that had happened by ``as_of`` and that the log did not hold yet at ``known_at``.

        They are why a state reads otherwise now than then. Columns: position, event_id, stream_id, event_type,
        occurred_at, recorded_at, late_by (how long after it happened the log took it), in the order of the log; of the
        types that the projection reads, and of one entity where it is given.
        Raises ArgumentError, UnknownProjectionError.
        """
        from workbench.replay.frames import frame_late
        from workbench.replay.late import load_late

        chosen, then = self.projection(projection), self._moment(as_of, known_at, None)
        return frame_late(load_late(self._ask, chosen, then, entity=stream_id))

    def affected(self, event_ids: Sequence[str]) -> "pl.DataFrame":
        """Return events and every causal descendant of theirs in the whole log, by position.

        Columns: position, event_id, stream_id, event_type, occurred_at, actor_id, cause (the event_id of the event that
        led to it among these; null for those asked about), depth (0 for those). Raises UnknownEventError.
        """
        from workbench.replay.frames import frame_affected
        from workbench.replay.provenance import find_descendants

        return frame_affected(find_descendants(self._ask, event_ids))

    def rollback(self, projection: "str | Projection", stream_id: str, *, to: Instant | int) -> "pl.DataFrame":
        """Return what going back to a moment would take: the compensating events, proposed. Nothing is written.

        ``to`` is an instant or a position; everything of the entity behind it is undone, the newest first. One row per
        event undone: position, event_id, event_type, occurred_at; compensation (the event_type that undoes it, null
        where the projection declares none: work done stays done), data (its payload, JSON text), expected_version (what
        append is to be told: the stream's version before the first of them). What they bring about is asked with
        ``what_if(insert=...)``. Raises what `state` raises.
        """
        from workbench.replay.frames import frame_proposals
        from workbench.replay.what_if import propose_compensations

        chosen, facts = self._facts(projection, stream_id, self._moment(None, None, None))
        cut = self._moment(None, None, to) if isinstance(to, int) else self._moment(to, None, None)
        return frame_proposals(propose_compensations(chosen, facts, stream_id, behind=cut), facts)
