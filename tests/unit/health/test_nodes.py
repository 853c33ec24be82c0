"""Which beats and workers are missing, by name; and which of that is a failure."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from tests.unit.health.nodes_made import AT, LEASE, beat, gone, lost, shown, worker
from tickerq_celery.enums import NodeKind
from tickerq_celery.health.nodes import of_kind
from tickerq_celery.views import Finding, LostNode, NodeState, NodeView, Severity


def judged(
    kind: NodeKind, nodes: Sequence[NodeView], lost: Sequence[LostNode] = (), host: str | None = None
) -> list[Finding]:
    return list(of_kind(kind, nodes, lost, at=AT, late_after=LEASE, host=host))


def test_what_is_alive_is_named_or_counted() -> None:
    [one] = judged(NodeKind.WORKER, [worker(), beat()])
    assert (shown(one), one.text) == (
        ("workers", "ok", None),
        "worker celery@web1 is alive, seen 2 s ago",
    )
    [several] = judged(NodeKind.WORKER, [worker(), worker("celery@web2"), beat()])
    assert several.text == "2 workers are alive"
    assert [each.text for each in judged(NodeKind.BEAT, [beat(), worker()])] == [
        "beat beat@web1 is alive, seen 2 s ago"
    ]


def test_one_that_is_gone_comes_with_the_command_that_starts_another() -> None:
    [dead_beat] = judged(NodeKind.BEAT, [gone(beat(), 42, NodeState.DEAD)])
    assert dead_beat.remedy == "look at its log, and restart it, `celery -A yourapp beat`"
    silent = gone(worker(queues=("mail", "slow")), 26)
    [of_worker] = judged(NodeKind.WORKER, [silent])
    assert of_worker.remedy == "look at its log, and restart it, `celery -A yourapp worker -Q mail,slow`"


@pytest.mark.parametrize("kind", list(NodeKind))
def test_none_at_all_is_a_failure_that_says_how_to_start_one(kind: NodeKind) -> None:
    others = [beat() if kind is NodeKind.WORKER else worker()]
    [none] = judged(kind, others)
    assert shown(none) == (f"no_{kind}", "failed", None)
    assert str(none) == f"failed   no {kind} is alive: start one, `celery -A yourapp {kind}`"


def test_the_last_that_were_lost_are_named_where_none_is_left() -> None:
    last = lost(worker("celery@web3"), AT - timedelta(minutes=2))
    with_it = lost(worker("celery@web2"), AT - timedelta(minutes=3))
    long_ago = lost(worker("celery@web1"), AT - timedelta(days=3))
    [none] = judged(NodeKind.WORKER, [beat()], [long_ago, with_it, last, lost(beat(), AT)])
    assert shown(none) == ("no_worker", "failed", "celery@web3")
    assert none.since == last.seen_at
    assert none.text == (
        "no worker is alive: the last that was lost, celery@web3, was last seen at 2026-01-15 11:58:00Z, "
        "and before it celery@web2"
    )
    [well] = judged(NodeKind.WORKER, [worker()], [last])
    assert well.severity is Severity.OK


@pytest.mark.parametrize("state", [NodeState.SILENT, NodeState.DEAD])
def test_one_that_is_gone_is_a_failure_by_name_unless_another_does_its_work(state: NodeState) -> None:
    for kind, make in ((NodeKind.BEAT, beat), (NodeKind.WORKER, worker)):
        missing = gone(make("lost@web9"), 42, state)
        [alone] = judged(kind, [missing])
        assert shown(alone) == (f"{kind}_{state}", "failed", "lost@web9")
        assert alone.since == missing.seen_at
        assert f"{kind} lost@web9 is {state}: its last heartbeat came 42 s ago" in alone.text
        [well, beside] = judged(kind, [missing, make("other@web1")])
        assert (shown(well)[:2], shown(beside)) == (
            (f"{kind}s", "ok"),
            (f"{kind}_{state}", "warning", "lost@web9"),
        )
        assert "other@web1 does its work" in beside.text


@pytest.mark.parametrize(
    ("queues", "others", "severity"),
    [
        (("mail",), [("celery",)], Severity.FAILURE),
        (("mail",), [("celery", "mail")], Severity.WARNING),
        (("mail", "celery"), [("celery",), ("mail",)], Severity.WARNING),
        (("mail", "celery"), [("mail",)], Severity.FAILURE),
        (("mail",), [()], Severity.WARNING),
        ((), [("mail",)], Severity.WARNING),
    ],
)
def test_only_those_that_consume_all_of_its_queues_do_a_workers_work(
    queues: tuple[str, ...], others: list[tuple[str, ...]], severity: Severity
) -> None:
    alive = [worker(f"other{number}", queues=each) for number, each in enumerate(others)]
    found = judged(NodeKind.WORKER, [gone(worker("lost", queues=queues), 42), *alive])
    assert [each.severity for each in found if each.subject and each.subject.name == "lost"] == [severity]


def test_a_beat_that_completes_no_tick_is_late_and_fails_where_none_is_on_time() -> None:
    late = beat("late@web1", ticked_at=AT - timedelta(seconds=45))
    never = beat("never@web1", ticked_at=None, started_at=AT - timedelta(seconds=50))
    new = beat("new@web1", ticked_at=None, started_at=AT - timedelta(seconds=5))
    found = judged(NodeKind.BEAT, [late, never])
    assert [shown(each) for each in found[1:]] == [
        ("beat_late", "failed", "late@web1"),
        ("beat_late", "failed", "never@web1"),
    ]
    assert "has completed no tick for 45 s" in found[1].text
    assert [shown(each)[1] for each in judged(NodeKind.BEAT, [late, new])] == ["ok", "warning"]


def test_one_that_shuts_down_is_a_warning_and_does_not_count_as_alive() -> None:
    leaving = worker(state=NodeState.STOPPING, stopping_since=AT - timedelta(seconds=9))
    none, stopping = judged(NodeKind.WORKER, [leaving])
    assert (shown(none)[:2], shown(stopping)) == (
        ("no_worker", "failed"),
        ("stopping", "warning", "celery@web1"),
    )
    assert none.text == "no worker is alive: celery@web1 shuts down"
    assert stopping.text == (
        "worker celery@web1 shuts down since 2026-01-15 11:59:51Z, and takes no more runs"
    )


def test_a_probe_of_a_host_looks_at_nothing_else() -> None:
    here, elsewhere = worker("celery@web1"), worker("celery@web2", host="web2")
    assert [each.text for each in judged(NodeKind.WORKER, [here, elsewhere], host="web2")] == [
        "worker celery@web2 is alive, seen 2 s ago"
    ]
    [none] = judged(NodeKind.WORKER, [elsewhere], host="web1")
    assert (shown(none)[:2], none.text) == (("no_worker", "failed"), "no worker is alive on web1")
    [silent] = judged(NodeKind.WORKER, [gone(here, 42), elsewhere], host="web1")
    assert silent.severity is Severity.FAILURE
    leaving = worker(state=NodeState.STOPPING, stopping_since=AT)
    [stopping] = judged(NodeKind.WORKER, [leaving], host="web1")
    assert stopping.severity is Severity.WARNING


def test_fifty_dead_workers_are_ten_lines() -> None:
    dead = [gone(worker(f"celery@web{number}"), 42, NodeState.DEAD) for number in range(50)]
    found = judged(NodeKind.WORKER, dead)
    assert len(found) == 10
    assert found[-1].severity is Severity.FAILURE
    assert found[-1].text.startswith("and 41 more silent workers: celery@web9, celery@web10, ")
    assert found[-1].text.endswith(" and 29 more")
