"""Distinguish the dead from the slow, without comparing clocks."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from tickerq_celery.beat.dead_nodes import LeaseFilter, LivenessObserver
from tickerq_celery.enums import NodeKind
from tickerq_celery.store.nodes.nodes import Node

LONG_AGO = datetime(1999, 1, 1, tzinfo=UTC)
NODE = Node(
    id=UUID(int=1), namespace="n", kind=NodeKind.WORKER, name="w", host="h", pid=1, version="1", queues=(),
    broker=None, concurrency=1, prefetch=1, functions_hash="", counter=5, started_at=LONG_AGO,
    stopping_since=None, seen_at=LONG_AGO,
)  # fmt: skip
OTHER = replace(NODE, id=UUID(int=2))


@pytest.fixture
def observer() -> LivenessObserver:
    return LivenessObserver(timedelta(seconds=30))


def test_a_counter_that_is_unchanged_for_one_lease_means_death(observer: LivenessObserver) -> None:
    for moment in (100.0, 110.0, 120.0, 129.9):
        assert observer.dead_among([NODE], monotonic=moment) == []
    assert observer.dead_among([NODE], monotonic=130.0) == [NODE]


@pytest.mark.parametrize("gap", [10.1, 30.0, 31.0, 3_600.0])
def test_a_gap_without_observation_does_not_count_against_a_node(
    observer: LivenessObserver, gap: float
) -> None:
    observer.dead_among([NODE], monotonic=100.0)
    observer.dead_among([NODE], monotonic=108.0)
    for moment in (108.0, 117.0, 126.9):
        assert observer.dead_among([NODE], monotonic=moment + gap) == []
    assert observer.dead_among([NODE], monotonic=127.1 + gap) == [NODE]


@pytest.mark.parametrize("seconds", range(1, 61))
def test_an_outage_reaps_no_worker_that_comes_back_within_its_longest_pause(
    observer: LivenessObserver, seconds: int
) -> None:
    # The last heartbeat but one is seen; the next fails, and is made up for 5 s after the end of the outage.
    for moment in (100.0, 105.0, 109.9):
        observer.dead_among([NODE], monotonic=moment)
    back = 109.9 + seconds
    assert observer.dead_among([NODE], monotonic=back) == []
    assert observer.dead_among([NODE], monotonic=back + 4.9) == []
    assert observer.dead_among([replace(NODE, counter=6)], monotonic=back + 6.5) == []


def test_an_observer_that_looks_rarely_finds_the_dead_nevertheless(observer: LivenessObserver) -> None:
    looks = [observer.dead_among([NODE], monotonic=60.0 * number) for number in range(12)]
    assert looks[:10] == [[]] * 10
    assert looks[11] == [NODE]


def test_a_node_that_is_first_seen_is_never_dead_however_old_its_row(observer: LivenessObserver) -> None:
    assert observer.dead_among([NODE], monotonic=1e9) == []


@pytest.mark.parametrize("counter", [6, 4])
def test_a_counter_that_moved_means_life(observer: LivenessObserver, counter: int) -> None:
    moved = replace(NODE, counter=counter)
    for moment in (100.0, 110.0, 120.0):
        observer.dead_among([NODE], monotonic=moment)
    for moment in (130.0, 140.0, 150.0, 159.0):
        assert observer.dead_among([moved], monotonic=moment) == []
    assert observer.dead_among([moved], monotonic=160.0) == [moved]


def test_each_node_has_its_own_lease(observer: LivenessObserver) -> None:
    observer.dead_among([NODE], monotonic=100.0)
    observer.dead_among([NODE, OTHER], monotonic=110.0)
    observer.dead_among([NODE, OTHER], monotonic=120.0)
    assert observer.dead_among([NODE, OTHER], monotonic=130.0) == [NODE]
    assert observer.dead_among([NODE, OTHER], monotonic=140.0) == [NODE, OTHER]


def test_a_node_that_was_gone_is_seen_anew(observer: LivenessObserver) -> None:
    observer.dead_among([NODE], monotonic=100.0)
    observer.dead_among([], monotonic=110.0)
    for moment in (120.0, 130.0, 140.0):
        assert observer.dead_among([NODE], monotonic=moment) == []


def test_what_was_seen_in_every_look_for_one_lease_lasts() -> None:
    absences = LeaseFilter(timedelta(seconds=30))
    assert absences.lasting([NODE.id], monotonic=100.0) == []
    for moment in (110.0, 120.0, 129.0):
        assert absences.lasting([NODE.id, OTHER.id], monotonic=moment) == []
    assert absences.lasting([NODE.id, OTHER.id], monotonic=130.0) == [NODE.id]


def test_a_gap_without_observation_does_not_use_a_lease_up() -> None:
    absences = LeaseFilter(timedelta(seconds=30))
    absences.lasting([NODE.id], monotonic=100.0)
    assert absences.lasting([NODE.id], monotonic=200.0) == []


def test_what_was_missing_in_one_look_begins_anew() -> None:
    absences = LeaseFilter(timedelta(seconds=30))
    absences.lasting([NODE.id], monotonic=100.0)
    absences.lasting([], monotonic=110.0)
    for moment in (120.0, 130.0, 140.0):
        assert absences.lasting([NODE.id], monotonic=moment) == []
