from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from tests.apps.conftest import HOSTILE
from workbench.apps.home import render_home
from workbench.apps.markup import Markup, element, join
from workbench.apps.server import APPS
from workbench.session import Session


class Reader(HTMLParser):
    """Keeps what a browser would see: tags with their attributes, and the text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    return reader


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_whatever_a_value_is_it_comes_back_as_that_text(value: str) -> None:
    reader = read(element("p", value, title=value))
    assert reader.tags == [("p", {"title": value})]
    assert reader.text == value


def test_elements_nest_and_nothing_is_escaped_twice() -> None:
    assert element("ul", join(element("li", "a & b"), None, 5)) == "<ul><li>a &amp; b</li>5</ul>"
    assert isinstance(join("<"), Markup)


def test_the_home_page_shows_hostile_names_as_text(hostile_session: Session) -> None:
    reader = read(render_home(hostile_session, APPS))
    assert HOSTILE in reader.text
    assert not {"script", "img"} & {tag for tag, _ in reader.tags}
    assert "The log is whole." in reader.text
    assert "120 events from 2026-03-02 00:00 to 2026-03-02 19:50 UTC" in reader.text


def test_a_log_that_cannot_be_opened_is_said_on_the_home_page() -> None:
    reader = read(render_home(None, APPS, failure="The folder <b> is gone."))
    assert "The folder <b> is gone." in reader.text
