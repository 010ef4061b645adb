"""An app's JavaScript as one module that needs no network: our files and Vega, bundled once and kept."""

import hashlib
import os
from functools import cache
from importlib.metadata import version
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final

from workbench.errors import MissingExtraError

STATIC: Final = Path(__file__).parent / "static"
# In this order; each file may use what stands before it. Only the last one exports.
SHARED: Final = ("dom.js", "format.js", "query.js", "work.js", "header.js", "panel.js", "page.js", "inspector.js")
SCRIPTS: Final = {
    "timeline": (
        *SHARED,
        "state.js",
        "filters.js",
        "strip.js",
        "facets.js",
        "lanes.js",
        "spans.js",
        "rows.js",
        "window.js",
        "timeline.js",
    ),
    "as_of": (
        *SHARED,
        "moment.js",
        "values.js",
        "scrub.js",
        "fields.js",
        "history.js",
        "entities.js",
        "compare.js",
        "population.js",
        "what_if.js",
        "as_of.js",
    ),
    "deltas": (
        *SHARED,
        "delta_redline.js",
        "delta_filters.js",
        "delta_pictures.js",
        "delta_list.js",
        "delta_reason.js",
        "delta_one.js",
        "delta_structure.js",
        "delta_export.js",
        "deltas.js",
    ),
}
STYLES: Final = {
    "timeline": ("timeline.css",),
    "as_of": ("timeline.css", "as_of.css"),
    "deltas": ("timeline.css", "deltas.css", "delta_export.css"),
}


@cache
def load_bundle(app: str = "timeline") -> str:
    """Return an app's script with Vega in it.

    Bundling takes 1.6 s, so the result is kept in the user's cache folder under its content's hash; where that cannot
    be written it is made anew. Raises MissingExtraError without vl-convert.
    """
    snippet = "\n".join((STATIC / name).read_text(encoding="utf-8") for name in SCRIPTS[app])
    try:
        name = hashlib.sha256(f"{version('vl-convert-python')}\n{snippet}".encode()).hexdigest()[:24]
    except ModuleNotFoundError as error:
        raise _missing() from error
    file = _cache_folder() / f"{app}-{name}.js"
    try:
        return file.read_text(encoding="utf-8")
    except OSError:
        bundle = _make(snippet)
        _keep(file, bundle)
        return bundle


def load_style(app: str = "timeline") -> str:
    """Return an app's style sheet."""
    return "\n".join((STATIC / name).read_text(encoding="utf-8") for name in STYLES[app])


def _make(snippet: str) -> str:
    try:
        import vl_convert
    except ModuleNotFoundError as error:
        raise _missing() from error
    return str(vl_convert.javascript_bundle(snippet))


def _missing() -> MissingExtraError:
    return MissingExtraError(
        "The apps draw with vl-convert-python. Install it: pip install 'eventlog-workbench[export]'."
    )


def _cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "eventlog-workbench"


def _keep(file: Path, bundle: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile("w", encoding="utf-8", dir=file.parent, delete=False) as part:
            part.write(bundle)
        Path(part.name).replace(file)
    except OSError:
        # A home that cannot be written costs 1.6 s at every start and nothing else.
        return
