"""A field of all entities over time as a picture: one band a value."""

from collections.abc import Sequence
from functools import partial
from typing import Final

import msgspec
import numpy as np
import polars as pl

from workbench.charts.population import Ribbon, population_chart
from workbench.charts.theme import choose_palette
from workbench.charts.time_axis import Window
from workbench.session import Session
from workbench.views.as_of.choices import AsOfChoices
from workbench.views.as_of.export import write_question
from workbench.views.as_of.population import MINUTE, Population, load_population
from workbench.views.base import View

MOST_VALUES: Final = 8
# Open values from dark to light, ended ones in greys: never the hues of event types.
RAMP: Final = {
    "light": ("#2E5C8F", "#5B82B5", "#8FA8CC", "#C9D5E6", "#E4EAF2"),
    "dark": ("#8FB4E6", "#6B92C7", "#4D72A3", "#38557D", "#293F5E"),
}
GREYS: Final = {
    "light": ("#878FA3", "#B9BECB", "#DDE0E7", "#ECEEF2"),
    "dark": ("#7D8798", "#5A6476", "#414A5A", "#313845"),
}


def show_population(
    session: Session, choices: AsOfChoices, *, ended: bool = False, size: tuple[int, int] = (800, 250)
) -> View:
    """Return how many entities have each value over time: of the open values alone, or, with ``ended``, of all.

    The frame has one row a point and value: start, end (epoch milliseconds), ribbon, value (JSON text), entities.
    Beyond eight values the rarest are one, ``other``.
    """
    population = load_population(session, choices)
    numbers = [*population.open_values, *(population.ended_values if ended else ())]
    counts = count_points(population, numbers)
    shades = dict(zip(*shade_values(population, choices.theme), strict=True))
    shown = numbers[: MOST_VALUES - 1] if len(numbers) > MOST_VALUES else numbers
    ribbons = [Ribbon(name=population.sweep.values[number], colour=shades[number]) for number in shown]
    if len(shown) < len(numbers):
        ribbons.append(Ribbon(name="other", colour=GREYS[choices.theme or "light"][-1]))
    if not ended:
        # Of the open values the first lies at the bottom, where its height is read best.
        ribbons.reverse()
        counts = counts.with_columns(ribbon=len(ribbons) - 1 - pl.col("ribbon"))
    window = Window(
        population.first / 1_000, (population.last + population.point) / 1_000, choices.zone, population.last / 1_000
    )
    question = write_question(session, msgspec.structs.replace(choices, mode="population"))
    return View(
        frame=counts,
        draw=partial(population_chart, counts, ribbons, window, choose_palette(choices.theme), size=size),
        sql=question.sql,
        parameters=question.parameters,
        caption=f"{population.sweep.field}: entities by value, one point every {write_point(population.point)}",
        basis=session.basis(counts, position=population.position),
    )


def count_points(population: Population, numbers: Sequence[int]) -> pl.DataFrame:
    """Return the entities by point and value; the values beyond the seventh are counted as one where there are many."""
    sweep = population.sweep
    origin = population.first // population.point * population.point
    starts = np.arange(origin, population.last + population.point, population.point, dtype=np.int64)
    # What holds at the end of a point is what the point shows.
    counted = (
        sweep.count_over(starts + population.point - 1)[:, list(numbers)] if numbers else np.zeros((len(starts), 0))
    )
    if len(numbers) > MOST_VALUES:
        rest = counted[:, MOST_VALUES - 1 :].sum(axis=1, keepdims=True)
        counted = np.concatenate([counted[:, : MOST_VALUES - 1], rest], axis=1)
    points, ribbons = counted.shape
    values = [sweep.values[number] for number in numbers[:ribbons]]
    names = [*values[:-1], "other"] if len(numbers) > ribbons else values
    return pl.DataFrame(
        {
            "start": np.repeat(starts // 1_000, ribbons),
            "end": np.repeat((starts + population.point) // 1_000, ribbons),
            "ribbon": np.tile(np.arange(ribbons), points),
            "value": names * points,
            "entities": counted.reshape(-1).astype(np.int64),
        }
    )


def shade_values(population: Population, theme: str | None) -> tuple[list[int], list[str]]:
    """Return every value's number and colour: a ramp for the open ones, greys for those at which an entity ends."""
    ramp, greys = RAMP[theme or "light"], GREYS[theme or "light"]
    numbers = [*population.open_values, *population.ended_values]
    size = len(population.open_values)
    colours = [
        _spread(ramp, rank, size) if rank < size else _spread(greys, rank - size, len(population.ended_values))
        for rank in range(len(numbers))
    ]
    return numbers, colours


def _spread(colours: Sequence[str], rank: int, size: int) -> str:
    return colours[rank if size <= len(colours) else min(len(colours) - 1, rank * len(colours) // size)]


def write_point(micros: int) -> str:
    """Return a distance of points in words.

    >>> write_point(43_200_000_000)
    '12 h'
    """
    minutes = micros // MINUTE
    for size, word in ((10_080, "weeks"), (1_440, "days"), (60, "h")):
        if minutes >= size and minutes % size == 0:
            return f"{minutes // size} {word}" if minutes // size > 1 or word == "h" else word.removesuffix("s")
    return f"{minutes} min"
