from typing import Any

import polars as pl

from workbench.charts.theme import LIGHT
from workbench.charts.waves import LABELS, waves_chart

BANDS = pl.DataFrame(
    {
        "field": ["status", "status", "calls"],
        "start": [0, 1, 2],
        "end": [1, 10, 10],
        "words": ["requested", "accepted", "2"],
        "holds": [False, True, True],
    }
)


def draw(**changes: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"bands": BANDS, "fields": ["status", "calls"], "events": 10} | changes
    chart: dict[str, Any] = waves_chart(given["bands"], given["fields"], given["events"], LIGHT, width=600).to_dict()
    return chart


def test_a_band_too_narrow_for_its_words_has_none() -> None:
    (rows,) = draw()["datasets"].values()
    assert [row["words"] for row in rows] == ["", "accepted", "2"]


def test_fields_stand_in_their_order_over_all_events() -> None:
    chart = draw()
    bands = chart["layer"][0]["encoding"]
    assert bands["y"]["scale"]["domain"] == ["status", "calls"]
    assert bands["x"]["scale"]["domain"] == [0, 10]
    assert (chart["width"], chart["padding"]["left"]) == (600 - LABELS, LABELS)


def test_an_entity_without_events_has_an_empty_picture() -> None:
    chart = draw(bands=BANDS.clear(), fields=[], events=0)
    assert chart["layer"][0]["encoding"]["x"]["scale"]["domain"] == [0, 1]
