from collections import Counter

from workbench.session import Session
from workbench.views.timeline.choices import Filter, TimelineChoices
from workbench.views.timeline.facets import FACETS, count_facets


def test_each_value_is_counted_and_the_most_frequent_comes_first(bank: Session) -> None:
    events = bank.events()
    for facet in count_facets(bank, TimelineChoices()):
        expected = Counter(events[facet.field].to_list())
        counted = dict(facet.values.select("value", "events").iter_rows())
        assert counted == dict(expected)
        assert facet.distinct == len(expected)
        assert facet.values["events"].to_list() == sorted(expected.values(), reverse=True)


def test_a_facet_is_counted_under_all_the_other_filters(bank: Session) -> None:
    chosen = TimelineChoices(
        filters=(Filter(field="event_type", values=("LoanRequested",)), Filter(field="actor_kind", values=("ai",)))
    )
    facets = {facet.field: facet for facet in count_facets(bank, chosen)}
    assert set(facets) == set(FACETS)
    assert (
        facets["event_type"].distinct
        == bank.sql("select count(distinct event_type) as n from events where actor_kind = 'ai'")["n"][0]
    )
    assert (
        facets["actor_id"].values["events"].sum()
        == bank.sql("select count(*) as n from events where actor_kind = 'ai' and event_type = 'LoanRequested'")["n"][0]
    )


def test_an_actor_comes_with_its_kind(bank: Session) -> None:
    actors = next(facet for facet in count_facets(bank, TimelineChoices()) if facet.field == "actor_id").values
    kinds = {row["value"]: row["kind"] for row in actors.to_dicts()}
    assert kinds == {"clerk-0": "ai", "clerk-1": "human", "clerk-2": "human", None: None}
