from queue import Queue
from typing import Any

import pytest

from workbench.apps.answers import ANSWERS, Request
from workbench.apps.jupyter import timeline_app
from workbench.apps.widget import PAGES, TimelineWidget
from workbench.apps.work import count_work
from workbench.session import Session

# Far more events than any machine joins before it is stopped: 120 to the fifth power.
ENDLESS = (
    "select count(*) as n from events as a, events as b, events as c, events as d, events as e "
    "where strpos(a.data || b.data || c.data || d.data, e.event_id) > 0"
)
PATIENCE = 60


@pytest.fixture(scope="module")
def widget(hostile_session: Session) -> TimelineWidget:
    return timeline_app(hostile_session, {"zone": ["local"]})


def test_an_answer_carries_the_id_of_its_request(widget: TimelineWidget) -> None:
    reply, _ = widget.answer(Request(id=7, kind="rows"))
    assert (reply["id"], reply["kind"]) == (7, "rows")
    assert len(reply["body"]["rows"]) == 50


def test_what_is_refused_is_answered_in_one_sentence(widget: TimelineWidget) -> None:
    reply, _ = widget.answer(Request(id=1, kind="rows", choices={"since": ["banana"]}))
    assert reply["error"]["kind"] == "refused"
    assert "since=banana" in reply["error"]["sentence"]


def test_what_fails_is_answered_too(widget: TimelineWidget, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_given: object) -> None:
        raise RuntimeError("the disk is gone")

    monkeypatch.setitem(PAGES, "timeline", fail)
    reply, _ = widget.answer(Request(id=1, kind="rows"))
    assert reply["error"] == {
        "sentence": "This could not be answered. The workbench failed with RuntimeError: the disk is gone",
        "kind": "failed",
    }


@pytest.fixture
def replies(widget: TimelineWidget, monkeypatch: pytest.MonkeyPatch) -> Queue[dict[str, Any]]:
    """What the widget sends, in order."""
    sent: Queue[dict[str, Any]] = Queue()
    monkeypatch.setattr(widget, "send", lambda message, _files=None: sent.put(message))
    return sent


def receive(widget: TimelineWidget, number: int, kind: str, **more: Any) -> None:
    widget._handle_custom_msg({"id": number, "kind": kind, "choices": {}, "options": {}} | more, [])


def test_a_message_of_the_page_is_answered_and_any_other_left_alone(
    widget: TimelineWidget, replies: Queue[dict[str, Any]]
) -> None:
    widget._handle_custom_msg({"hello": "there"}, [])
    receive(widget, 3, "start")
    assert replies.get(timeout=PATIENCE)["id"] == 3


def test_messages_are_answered_in_their_order(widget: TimelineWidget, replies: Queue[dict[str, Any]]) -> None:
    for number in range(5):
        receive(widget, number, "rows")
    assert [replies.get(timeout=PATIENCE)["id"] for _ in range(5)] == list(range(5))


def test_an_answer_under_way_tells_how_far_it_is_and_is_stopped_by_its_id(
    widget: TimelineWidget, replies: Queue[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ANSWERS, "rows", lambda session, _choices, _options: {"n": session.sql(ENDLESS).item()})
    receive(widget, 1, "rows")
    receive(widget, 2, "start")
    told = replies.get(timeout=PATIENCE)
    assert told["id"] == 1
    assert told["progress"]["statement"] == 1
    receive(widget, 3, "cancel", options={"request": 1})
    while "progress" in (stopped := replies.get(timeout=PATIENCE)):
        continue
    assert (stopped["id"], stopped["error"]["kind"]) == (1, "stopped")
    assert replies.get(timeout=PATIENCE)["body"]["events"] == 120


def test_work_of_many_statements_is_counted_instead_of_them(
    widget: TimelineWidget, replies: Queue[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(session: Session, _choices: object, _options: object) -> dict[str, Any]:
        count_work(1, 4, 3)
        session.sql("select count(*) as n from events")
        count_work(0, 0, 0)
        return {}

    count_work(1, 1, 1)
    monkeypatch.setitem(ANSWERS, "rows", work)
    receive(widget, 1, "rows")
    told = replies.get(timeout=PATIENCE)["progress"]
    assert (told["done"], told["known"], told["rows"], told["share"]) == (1, 4, 3, 0.25)


def test_a_widget_that_is_taken_away_stops_what_it_works_on(
    hostile_session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: Queue[dict[str, Any]] = Queue()
    widget = timeline_app(hostile_session)
    monkeypatch.setattr(widget, "send", lambda message, _files=None: sent.put(message))
    monkeypatch.setitem(ANSWERS, "rows", lambda session, _choices, _options: {"n": session.sql(ENDLESS).item()})
    receive(widget, 1, "rows")
    widget.close()
    while "progress" in (stopped := sent.get(timeout=PATIENCE)):
        continue
    assert stopped["error"]["kind"] == "stopped"


def test_a_reply_that_cannot_be_sent_leaves_the_next_one_alone(
    widget: TimelineWidget, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: Queue[dict[str, Any]] = Queue()

    def send(message: dict[str, Any], _files: object = None) -> None:
        if message["id"] == 1:
            raise ConnectionError("the page is gone")
        sent.put(message)

    monkeypatch.setattr(widget, "send", send)
    receive(widget, 1, "rows")
    receive(widget, 2, "rows")
    assert sent.get(timeout=PATIENCE)["id"] == 2


def test_the_widget_opens_with_the_choices_of_a_link(widget: TimelineWidget) -> None:
    assert widget.query == {"zone": ["local"]}
    assert widget.in_address is False
