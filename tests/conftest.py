"""What many tests need: the real logs where they are, Chromium where it is, a time to speak of."""

import shutil
import signal
from pathlib import Path

import hypothesis
import pytest

from tests.published import RealLogs

# How long a case takes says nothing about what it shows; on a busy machine the default of 200 ms fails by chance.
hypothesis.settings.register_profile("workbench", deadline=None)
hypothesis.settings.load_profile("workbench")

# A shell has what it starts in the background ignore Ctrl-C, and whatever that starts too: then tests of it would wait.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parents[1]
# What takes longest comes first, or one process would still be at it when the others have nothing left to do.
LONGEST = (
    "browser/test_as_of.py",
    "replay/test_real_states.py",
    "browser/test_timeline.py",
    "replay/test_read_models.py",
    "browser/test_deltas.py",
    "notebooks/test_notebooks.py",
    "browser/test_slow.py",
    "deltas/test_real_figures.py",
    "replay/states/test_states.py",
    "browser/test_deltas_export.py",
    "session/test_real_logs.py",
    "browser/test_spans.py",
    "deltas/test_pairing_real.py",
    "eventlog/test_layout.py",
    "eventlog/test_writers.py",
    "replay/sql/test_compile.py",
    "deltas/pairing/test_proposals.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest modules first; all else keeps its order."""
    places = {ROOT / "tests" / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of the real logs, or a loud skip."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("REAL LOGS NOT TESTED: there is no ../shared/data beside the repository")
    return folder


@pytest.fixture(scope="session")
def real_logs(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> RealLogs:
    """The real logs as they are taken in, to be read only."""
    return RealLogs(shared_data, tmp_path_factory)


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The Chromium to start, or a loud skip."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found:
            return found
    pytest.skip("BROWSER NOT TESTED: no Chromium is installed (Debian: apt install chromium)")


@pytest.fixture(scope="session")
def chromium_arguments() -> list[str]:
    """Switches under which Chromium runs without a display and asks nobody outside."""
    return [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ]
