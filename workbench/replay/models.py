"""Read models of a session: states kept beside the log, brought up as it grows, and what they make quick."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from workbench.replay.asking import Asking, Instant

if TYPE_CHECKING:
    import polars as pl

    from workbench.replay.projection import Projection


class Models(Asking):
    """What a session keeps of states, and can be asked of all entities at once."""

    def population(
        self,
        projection: "str | Projection",
        field: str,
        *,
        as_of: Instant | None = None,
        known_at: Instant | None = None,
        position: int | None = None,
    ) -> "pl.DataFrame":
        """Return how many entities have each value of a field at a moment: value (JSON text), count.

        Ordered by value; "null" are the entities without one. Raises ArgumentError for a field the projection has not,
        and what `state` raises.
        """
        from workbench.replay.population import check_field, count_values
        from workbench.replay.states import find_states

        chosen, cut = self.projection(projection), self._moment(as_of, known_at, position)
        check_field(chosen, field)
        return count_values(find_states(self._ask, chosen, cut), chosen, field)

    def population_over_time(
        self,
        projection: "str | Projection",
        field: str,
        *,
        at: Sequence[Instant],
        known_at: Instant | None = None,
    ) -> "pl.DataFrame":
        """Return the population of a field at each of several instants: as_of, value (JSON text), count.

        Raises what `population` raises.
        """
        from workbench.query.events import read_instant
        from workbench.replay.population import join_populations

        moments = [moment for each in at if (moment := read_instant("at", each)) is not None]
        found = [self.population(projection, field, as_of=moment, known_at=known_at) for moment in moments]
        return join_populations(moments, found)
