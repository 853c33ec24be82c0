"""Which beats and workers are there, how they are, and which were lost."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.inner import Core, NodeRegistration, Transaction, profile
from tests.integration.beats import Beat, pass_lease
from tests.integration.conftest import send
from tests.integration.making import (
    MANY_MESSAGES,
    another_node,
    enrolled,
    make_run,
    started,
    storing,
    worker_profile,
)
from tests.integration.pruning import prune
from tests.manual_clock import START, ManualClock
from tests.statements import lost_nodes, node_views, nodes
from tickerq_celery.beat.tick_record import TickRecord
from tickerq_celery.enums import NodeKind
from tickerq_celery.errors import StoreError, TickerValidationError
from tickerq_celery.managers.nodes import NodeManager
from tickerq_celery.store.nodes.vitals import Vitals
from tickerq_celery.views import NodeState, NodeView

BEATS_FOR = timedelta(seconds=10)


def manager(core: Core) -> NodeManager:
    return NodeManager(storing(core))


def one(core: Core) -> NodeView:
    [node] = manager(core).find()
    return node


def beating(core: Core, kind: NodeKind = NodeKind.WORKER, vitals: Vitals | None = None) -> NodeRegistration:
    """Register a node that says this with each heartbeat, once it has been measured."""
    me = worker_profile(core, pool="prefork") if kind is NodeKind.WORKER else profile(core, kind)
    registration = NodeRegistration(me, lambda: vitals or Vitals())
    core.write(registration.register)
    return registration


@pytest.mark.every_database
def test_a_worker_is_shown_with_what_it_says_of_itself(core: Core, clock: ManualClock) -> None:
    registration = beating(core, vitals=Vitals(memory=6 << 30))
    assert one(core).memory is None
    clock.advance(seconds=10)
    registration.measure()
    assert core.write(registration.beat)
    clock.advance(seconds=2)
    node = one(core)
    assert (node.id, node.name, node.host, node.pid) == (
        core.node.id, core.node.name, core.node.host, core.node.pid,
    )  # fmt: skip
    assert (node.kind, node.state, node.queues, node.pool) == (
        NodeKind.WORKER, NodeState.ALIVE, ("celery",), "prefork",
    )  # fmt: skip
    assert (node.concurrency, node.prefetch, node.memory) == (2, MANY_MESSAGES, 6 << 30)
    assert (node.heartbeat, node.lease) == (core.config.heartbeat, core.config.lease)
    assert (node.started_at, node.seen_at) == (START, START + BEATS_FOR)
    assert (node.silent_for, node.clock_offset) == (timedelta(seconds=2), timedelta(0))
    assert (node.ticked_at, node.claimed, node.running) == (None, None, 0)
    assert (node.functions, node.missing_functions) == (("Send",), ())


def test_a_beat_lists_its_functions_without_a_digest_of_each(core: Core) -> None:
    digests = beating(core, NodeKind.BEAT).profile.definitions
    assert (one(core).functions, digests) == (("Send",), {"Send": ""})


@pytest.mark.every_database
def test_the_last_tick_of_a_beat_is_by_the_clock_of_the_database(core: Core, clock: ManualClock) -> None:
    registration = beating(core, NodeKind.BEAT, Vitals(ticked=clock.monotonic(), claimed=7))
    assert (one(core).ticked_at, one(core).claimed) == (None, None)
    clock.advance(seconds=3)
    registration.measure()
    core.write(registration.beat)
    assert (one(core).ticked_at, one(core).claimed) == (START, 7)


@pytest.mark.every_database
def test_a_beat_says_when_it_last_pruned_and_how_much(core: Core, clock: ManualClock) -> None:
    registration = beating(core, NodeKind.BEAT, Vitals(round_ended=clock.monotonic(), pruned=500))
    clock.advance(seconds=3)
    registration.measure()
    core.write(registration.beat)
    assert (one(core).pruned_at, one(core).pruned) == (START, 500)
    assert TickRecord().vitals().pruned is None


class _Ahead(ManualClock):
    """A process's clock that is a minute ahead of the database's."""

    def sql_literal(self) -> Any:
        return self.now() - timedelta(minutes=1)


@pytest.mark.every_database
def test_the_offset_of_a_clock_is_of_the_last_heartbeat(core: Core) -> None:
    ahead = _Ahead()
    wrong = replace(core, clock=ahead)
    registration = beating(wrong)
    assert one(wrong).clock_offset == timedelta(minutes=1)
    ahead.set(ahead.now())
    right = replace(core, clock=ManualClock(ahead.now()))
    right.write(registration.beat)
    assert one(right).clock_offset == timedelta(0)


def test_a_node_is_silent_or_dead_by_its_own_heartbeat_and_lease(
    make_core: Callable[..., Core], clock: ManualClock
) -> None:
    core = make_core()
    beating(core)
    slow = make_core(heartbeat=60.0, lease=300.0)
    beating(another_node(slow), NodeKind.BEAT)
    found = []
    for seconds in (20, 10, 100, 30, 150):
        clock.advance(seconds=seconds)
        found.append(tuple(node.state.value for node in manager(core).find()))
    assert found == [
        ("alive", "alive"), ("alive", "dead"), ("alive", "dead"), ("silent", "dead"), ("dead", "dead"),
    ]  # fmt: skip


def test_a_node_that_shuts_down_is_shown_as_stopping(core: Core) -> None:
    beating(core)
    core.write(nodes.beat, core.node.id, is_stopping=True)
    assert (one(core).state, one(core).stopping_since) == (NodeState.STOPPING, START)
    assert one(core).is_present
    assert not one(core).takes_runs


@pytest.mark.every_database
def test_what_runs_on_a_worker_is_counted(core: Core) -> None:
    enrolled(core)
    for _ in range(3):
        started(core, make_run(core))
    make_run(core)
    assert one(core).running == 3


def test_functions_that_only_other_live_workers_of_the_namespace_have_are_missing(
    make_core: Callable[..., Core], namespace: str
) -> None:
    enrolled(make_core(send("Send"), send("Bill")))
    gone = enrolled(make_core(send("Gone")))
    gone.write(nodes.beat, gone.node.id, is_stopping=True)
    elsewhere = enrolled(make_core(send("Else"), namespace=f"{namespace}-b"))
    core = enrolled(make_core(send("Send"), send("Only")))
    beating(another_node(core), NodeKind.BEAT)
    missing = {node.functions: node.missing_functions for node in manager(core).find(kind="worker")}
    assert missing == {
        ("Bill", "Send"): ("Only",), ("Only", "Send"): ("Bill",), ("Gone",): ("Bill", "Only", "Send"),
    }  # fmt: skip
    assert [node.missing_functions for node in manager(core).find(kind="beat")] == [()]
    [other] = manager(core).find(namespace=f"{namespace}-b")
    assert (other.id, other.missing_functions) == (elsewhere.node.id, ())


def test_nodes_that_have_the_same_functions_all_show_them_though_one_is_read_of_each_set(
    make_core: Callable[..., Core],
) -> None:
    for _ in range(3):
        core = enrolled(make_core(send("Send")))
    enrolled(make_core(send("Send"), send("Bill")))
    found = [node.functions for node in manager(core).find()]
    assert sorted(found) == [("Bill", "Send"), *[("Send",)] * 3]


@pytest.mark.every_database
def test_nodes_are_sorted_by_kind_and_name_and_filtered(
    core: Core, clock: ManualClock, namespace: str
) -> None:
    for _ in range(3):
        beating(another_node(core))
    beating(another_node(core), NodeKind.BEAT)
    beating(replace(core, config=replace(core.config, namespace=f"{namespace}-b")))
    found = manager(core).find()
    assert [node.kind for node in found] == [NodeKind.BEAT, *[NodeKind.WORKER] * 3]
    assert [node.name for node in found[1:]] == sorted(node.name for node in found[1:])
    clock.advance(seconds=26)
    core.write(nodes.beat, found[2].id)
    assert manager(core).find(state="alive") == (manager(core).find(kind=NodeKind.WORKER)[1],)
    assert len(manager(core).find(state="silent")) == 3
    assert len(manager(core).find(limit=2)) == 2
    assert {node.namespace for node in core.read(node_views.find, namespace=None)} >= {
        namespace, f"{namespace}-b",
    }  # fmt: skip


@pytest.mark.parametrize("wrong", [{"kind": "job"}, {"state": "well"}, {"limit": 0}, {"namespace": ""}])
def test_a_filter_that_means_nothing_is_refused(core: Core, wrong: dict[str, Any]) -> None:
    with pytest.raises(TickerValidationError, match=next(iter(wrong))):
        manager(core).find(**wrong)
    if "state" not in wrong:
        with pytest.raises(TickerValidationError, match=next(iter(wrong))):
            manager(core).lost(**wrong)


def lose(core: Core, beat: Beat, clock: ManualClock) -> None:
    """Let a beat find a node dead that gives no sign of life."""
    pass_lease(beat, clock)
    beat.sweep()


def test_a_node_that_a_beat_reaps_is_known_as_lost(core: Core, beat: Beat, clock: ManualClock) -> None:
    enrolled(core)
    core.write(nodes.beat, core.node.id, is_stopping=True)
    lose(core, beat, clock)
    assert manager(core).find() == ()
    [lost] = manager(core).lost()
    assert (lost.id, lost.name, lost.kind, lost.queues) == (
        core.node.id, core.node.name, NodeKind.WORKER, ("celery",),
    )  # fmt: skip
    assert (lost.started_at, lost.seen_at, lost.stopping_since) == (START, START, START)
    assert (lost.found_at, lost.found_by) == (START + core.config.lease, beat.core.node.name)
    assert lost.returned_at is None


def test_lost_nodes_are_listed_the_latest_first(core: Core, beat: Beat, clock: ManualClock) -> None:
    names = []
    for kind in (NodeKind.WORKER, NodeKind.BEAT, NodeKind.WORKER):
        other = another_node(core)
        beating(other, kind)
        lose(core, beat, clock)
        names.insert(0, other.node.name)
    assert [lost.name for lost in manager(core).lost()] == names
    assert [lost.name for lost in manager(core).lost(limit=1)] == names[:1]
    assert [lost.name for lost in manager(core).lost(kind="beat")] == names[1:2]
    assert manager(core).lost(namespace="elsewhere") == ()


def test_a_node_that_ends_in_order_is_not_lost(core: Core) -> None:
    beating(core)
    core.write(nodes.remove, core.node.id)
    assert manager(core).lost() == ()


@pytest.mark.every_database
def test_a_node_is_removed_and_recorded_in_one_transaction(core: Core) -> None:
    beating(core)
    [node] = core.read(nodes.list_nodes)

    def fail(tx: Transaction) -> None:
        assert nodes.remove_dead(tx, node, found_by="beat")
        raise StoreError("gone")

    with pytest.raises(StoreError):
        core.write(fail)
    assert manager(core).lost() == ()
    assert one(core).id == core.node.id


def test_lost_nodes_are_forgotten_after_30_days(core: Core, beat: Beat, clock: ManualClock) -> None:
    beating(core)
    lose(core, beat, clock)
    clock.advance(days=30)
    assert prune(core) == 0
    beating(core)
    lose(core, beat, clock)
    assert core.read(lost_nodes.count_old) == prune(core) == 1
    assert len(manager(core).lost()) == 1


def test_a_node_that_was_taken_for_dead_is_marked_when_it_registers_again(
    core: Core, beat: Beat, clock: ManualClock
) -> None:
    registration = beating(core)
    lose(core, beat, clock)
    clock.advance(minutes=1)
    assert not core.write(registration.beat)
    back = clock.now()
    assert [lost.returned_at for lost in manager(core).lost()] == [back]
    assert one(core).state is NodeState.ALIVE
    lose(core, beat, clock)
    assert [lost.returned_at for lost in manager(core).lost()] == [None, back]
    assert {lost.id for lost in manager(core).lost()} == {core.node.id}


def test_however_many_nodes_other_namespaces_have_the_own_ones_are_seen(
    core: Core, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_views, "_MOST", 2)
    for _ in range(3):
        other = another_node(core)
        elsewhere = replace(other, config=replace(core.config, namespace=f"a-{core.config.namespace}"))
        beating(elsewhere, NodeKind.BEAT)
    beating(core)
    found = core.read(lambda tx: node_views.find(tx, namespace=None))
    assert core.node.id in {each.id for each in found}
    assert [each.kind for each in found] == [NodeKind.BEAT, NodeKind.WORKER]
