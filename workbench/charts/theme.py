"""The colours, hues and type of every picture, as values that a chart is given; nothing is switched globally."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

# Named faces first: on systems without a face of their own, `system-ui` is a wide one that tears columns apart.
FONT: Final = 'Inter, -apple-system, "Segoe UI", Roboto, "Liberation Sans", system-ui, sans-serif'

# Ten hues, given to event types by how often they occur in the whole log; a type beyond them is `other`.
HUES: Final = (
    "#4269D0",
    "#EFB118",
    "#FF725C",
    "#6CC5B0",
    "#3CA951",
    "#FF8AB7",
    "#A463F2",
    "#97BBF5",
    "#9C6B4E",
    "#9498A0",
)


class Palette(msgspec.Struct, frozen=True, kw_only=True):
    """The colours of one ground, light or dark."""

    ground: str
    ink: str
    secondary: str
    hairline: str
    accent: str


LIGHT: Final = Palette(ground="#FFFFFF", ink="#1B1F27", secondary="#586174", hairline="#E3E6EC", accent="#2457D6")
DARK: Final = Palette(ground="#12151B", ink="#E8EBF0", secondary="#A3ADBD", hairline="#2B323E", accent="#7FA6FF")


def choose_palette(theme: str | None) -> Palette:
    """Return the palette of ``dark``, and the light one for anything else."""
    return DARK if theme == "dark" else LIGHT


def assign_hues(event_types: Iterable[str]) -> Mapping[str, str | None]:
    """Return each event type's hue, given the types from the most frequent of the whole log down; None is `other`."""
    return {name: HUES[rank] if rank < len(HUES) else None for rank, name in enumerate(event_types)}


def chart_config(palette: Palette) -> dict[str, Any]:
    """Return the configuration a chart is given: ground, type and hairlines of ``palette``."""
    return {
        "background": palette.ground,
        "font": FONT,
        "view": {"stroke": None},
        "axis": {
            "labelColor": palette.secondary,
            "labelFontSize": 12,
            "gridColor": palette.hairline,
            "domainColor": palette.hairline,
            "tickColor": palette.hairline,
        },
        "text": {"fontSize": 13, "color": palette.ink},
    }
