import pytest

from workbench.apps.answers import Request
from workbench.apps.jupyter import timeline_app
from workbench.apps.widget import TimelineWidget
from workbench.session import Session


@pytest.fixture(scope="module")
def widget(hostile_session: Session) -> TimelineWidget:
    return timeline_app(hostile_session, {"zone": ["local"]})


def test_an_answer_carries_the_id_of_its_request(widget: TimelineWidget) -> None:
    reply, _ = widget.answer(Request(id=7, kind="rows"))
    assert (reply["id"], reply["kind"]) == (7, "rows")
    assert len(reply["body"]["rows"]) == 50


def test_what_is_refused_is_answered_in_one_sentence(widget: TimelineWidget) -> None:
    reply, _ = widget.answer(Request(id=1, kind="rows", choices={"since": ["banana"]}))
    assert reply["error"]["refused"] is True
    assert "since=banana" in reply["error"]["sentence"]


def test_what_fails_is_answered_too(widget: TimelineWidget, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_given: object) -> None:
        raise RuntimeError("the disk is gone")

    monkeypatch.setattr("workbench.apps.widget.answer_request", fail)
    reply, _ = widget.answer(Request(id=1, kind="rows"))
    assert reply["error"] == {
        "sentence": "This could not be answered. The workbench failed with RuntimeError: the disk is gone",
        "refused": False,
    }


def test_a_message_of_the_page_is_answered_and_any_other_left_alone(
    widget: TimelineWidget, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[object] = []
    monkeypatch.setattr(widget, "send", lambda reply, _files: sent.append(reply))
    widget._handle_custom_msg({"id": 3, "kind": "start", "choices": {}, "options": {}}, [])
    widget._handle_custom_msg({"hello": "there"}, [])
    assert [reply["id"] for reply in sent if isinstance(reply, dict)] == [3]


def test_the_widget_opens_with_the_choices_of_a_link(widget: TimelineWidget) -> None:
    assert widget.query == {"zone": ["local"]}
    assert widget.in_address is False
