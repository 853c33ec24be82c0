"""What differs among nodes: broker, namespace, clock, version, definitions; and what maintenance leaves."""

from datetime import timedelta

import pytest

from tests.unit.health.nodes_made import AT, beat, shown, worker
from tickerq_celery.health import housekeeping, skew
from tickerq_celery.store.nodes.views import DefinitionSet

HERE = "redis://broker/0"


def test_nodes_on_another_broker_are_a_warning_and_none_is_where_it_is_not_known() -> None:
    nodes = [worker(), beat(broker="redis://elsewhere/0"), beat(broker=None)]
    [found] = skew.of_brokers(nodes, HERE)
    assert shown(found) == ("other_broker", "warning", "beat@web1")
    assert found.text == (f"beat beat@web1 is on broker redis://elsewhere/0, and this application on {HERE}")
    assert list(skew.of_brokers(nodes, None)) == []


def test_a_queue_that_another_namespace_consumes_on_the_same_broker_is_a_failure() -> None:
    mine = frozenset({"celery", "mail"})
    theirs = [worker(namespace="theirs", queues=("celery", "own"))]
    [found] = skew.of_namespaces("shop", mine, theirs, HERE)
    assert shown(found) == ("shared_queue", "failed", "celery")
    assert found.text == ("queue celery: workers of namespace 'theirs' consume it as well as those of 'shop'")
    assert list(skew.of_namespaces("shop", mine, theirs, "redis://elsewhere/0")) == []


@pytest.mark.parametrize(
    ("seconds", "severity", "text"),
    [
        (1.9, None, ""),
        (-1.9, None, ""),
        (2.1, "warning", "2 s ahead of the database's"),
        (-29, "warning", "29 s behind the database's"),
        (30, "failed", "30 s ahead of the database's"),
        (-7200, "failed", "2 h behind the database's"),
    ],
)
def test_a_clock_that_is_off_is_a_warning_and_far_off_a_failure(
    seconds: float, severity: str | None, text: str
) -> None:
    found = list(skew.of_clocks([worker(clock_offset=timedelta(seconds=seconds)), beat()]))
    assert [shown(each)[1] for each in found] == ([] if severity is None else [severity])
    assert all(each.text == f"the clock of worker celery@web1 on web1 is {text}" for each in found)


def test_different_versions_are_a_warning_that_says_where_which_is() -> None:
    assert list(skew.of_versions([worker(), beat()])) == []
    [found] = skew.of_versions([worker(), beat(), worker("celery@web2", version="1.1")])
    assert shown(found) == ("version_skew", "warning", None)
    assert found.text == (
        "beats and workers run 2 versions of tickerq-celery: 1.0 on celery@web1 and beat@web1; "
        "1.1 on celery@web2"
    )


def test_a_function_that_live_workers_define_differently_is_named_with_who_defines_it_how() -> None:
    one, other, silent = worker(), worker("celery@web2"), worker("celery@web3")
    sets = [
        DefinitionSet(nodes=[one.id], digests={"Send": "a", "Bill": "b"}),
        DefinitionSet(nodes=[other.id, silent.id], digests={"Send": "c", "Bill": "b", "New": "d"}),
    ]
    [found] = skew.of_definitions(sets, [one, other])
    assert shown(found) == ("function_skew", "warning", "Send")
    assert found.text == (
        "function Send has 2 definitions among live workers: one on celery@web1; one on celery@web2"
    )


def test_it_is_said_in_which_settings_they_differ_as_far_as_that_is_known() -> None:
    one, other = worker(), worker("celery@web2")
    digests = ("a" * 16 + '{"path":"p","retries":1}', "b" * 16 + '{"path":"p","timeout":5}', "c" * 16)
    sets = [
        DefinitionSet(nodes=[node.id], digests={"Send": each})
        for node, each in zip((one, other), digests[:2], strict=True)
    ]
    [found] = skew.of_definitions(sets, [one, other])
    assert found.text.endswith("one on celery@web2; they differ in retries and timeout")
    # The row of a worker of an earlier version has the digest alone.
    alike = DefinitionSet(nodes=[other.id], digests={"Send": "a" * 16})
    assert list(skew.of_definitions([sets[0], alike], [one, other])) == []
    unsaid = DefinitionSet(nodes=[other.id], digests={"Send": digests[2]})
    [found] = skew.of_definitions([sets[0], unsaid], [one, other])
    assert "differ in" not in found.text


def test_history_that_should_have_gone_more_than_a_day_ago_is_a_warning() -> None:
    assert list(housekeeping.of_retention(None, at=AT)) == []
    [found] = housekeeping.of_retention(AT - timedelta(days=33), at=AT)
    assert shown(found) == ("retention_late", "warning", None)
    assert "ended 33 d ago, at 2025-12-13 12:00:00Z" in found.text


def test_figures_that_lack_what_ended_a_quarter_of_an_hour_ago_are_a_warning() -> None:
    quarter = timedelta(minutes=15)
    for since in (None, AT - quarter):
        assert list(housekeeping.of_roll_up(since, at=AT)) == []
    [found] = housekeeping.of_roll_up(AT - timedelta(minutes=16), at=AT)
    assert shown(found) == ("roll_up_late", "warning", None)
    assert found.text.startswith("figures lack what ended 16 min ago and since, from 2026-01-15 11:44:00Z on")


def test_a_misspelt_function_of_retention_is_a_warning_with_what_may_be_meant() -> None:
    [found] = housekeeping.of_retention_names({"Sned"}, ["Send", "Bill"])
    assert shown(found) == ("retention_name", "warning", "Sned")
    assert found.text == (
        "the setting `retention` names a function Sned, of which there is none: did you mean Send?"
    )


def test_dropped_messages_are_no_problem_and_shown_by_reason() -> None:
    assert list(housekeeping.of_drops({})) == []
    [found] = housekeeping.of_drops({"old_claim": 2, "invalid": 1})
    assert shown(found)[:2] == ("dropped", "ok")
    assert found.text == "messages dropped in the last 24 hours: 2 old_claim, 1 invalid"
