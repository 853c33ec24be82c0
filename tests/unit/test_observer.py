"""Telling the dead from the slow, without comparing clocks."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from tickerq_celery.enums import NodeKind
from tickerq_celery.observer import Observer, Patience
from tickerq_celery.store.nodes import Node

LONG_AGO = datetime(1999, 1, 1, tzinfo=UTC)
NODE = Node(
    id=UUID(int=1), namespace="n", kind=NodeKind.WORKER, name="w", host="h", pid=1, version="1", queues=(),
    concurrency=1, prefetch=1, functions_hash="", clock_offset_ms=0, counter=5, started_at=LONG_AGO,
    seen_at=LONG_AGO,
)  # fmt: skip
OTHER = replace(NODE, id=UUID(int=2))


@pytest.fixture
def observer() -> Observer:
    return Observer(timedelta(seconds=30))


def test_a_counter_that_stands_still_for_one_lease_means_death(observer: Observer) -> None:
    assert observer.dead_among([NODE], monotonic=100.0) == []
    assert observer.dead_among([NODE], monotonic=115.0) == []
    assert observer.dead_among([NODE], monotonic=129.9) == []
    assert observer.dead_among([NODE], monotonic=130.0) == [NODE]


@pytest.mark.parametrize("gap", [15.1, 30.0, 31.0, 3_600.0])
def test_a_time_in_which_nobody_looked_is_not_the_nodes_silence(observer: Observer, gap: float) -> None:
    observer.dead_among([NODE], monotonic=100.0)
    observer.dead_among([NODE], monotonic=112.0)
    assert observer.dead_among([NODE], monotonic=112.0 + gap) == []
    assert observer.dead_among([NODE], monotonic=126.9 + gap) == []
    assert observer.dead_among([NODE], monotonic=127.1 + gap) == [NODE]


def test_an_observer_that_looks_rarely_finds_the_dead_nevertheless(observer: Observer) -> None:
    looks = [observer.dead_among([NODE], monotonic=60.0 * number) for number in range(12)]
    assert looks[:10] == [[]] * 10
    assert looks[11] == [NODE]


def test_a_node_that_is_first_seen_is_never_dead_however_old_its_row(observer: Observer) -> None:
    assert observer.dead_among([NODE], monotonic=1e9) == []


@pytest.mark.parametrize("counter", [6, 4])
def test_a_counter_that_moved_means_life(observer: Observer, counter: int) -> None:
    observer.dead_among([NODE], monotonic=100.0)
    moved = replace(NODE, counter=counter)
    observer.dead_among([NODE], monotonic=115.0)
    assert observer.dead_among([moved], monotonic=130.0) == []
    assert observer.dead_among([moved], monotonic=145.0) == []
    assert observer.dead_among([moved], monotonic=159.0) == []
    assert observer.dead_among([moved], monotonic=160.0) == [moved]


def test_a_node_that_registered_anew_is_alive_though_it_counts_from_the_same_number(
    observer: Observer,
) -> None:
    observer.dead_among([NODE], monotonic=100.0)
    anew = replace(NODE, started_at=LONG_AGO + timedelta(seconds=29))
    assert observer.dead_among([anew], monotonic=130.0) == []


def test_each_node_has_its_own_lease(observer: Observer) -> None:
    observer.dead_among([NODE], monotonic=100.0)
    observer.dead_among([NODE, OTHER], monotonic=115.0)
    assert observer.dead_among([NODE, OTHER], monotonic=130.0) == [NODE]
    assert observer.dead_among([NODE, OTHER], monotonic=145.0) == [NODE, OTHER]


def test_a_node_that_was_away_is_seen_anew(observer: Observer) -> None:
    observer.dead_among([NODE], monotonic=100.0)
    observer.dead_among([], monotonic=110.0)
    observer.dead_among([NODE], monotonic=120.0)
    assert observer.dead_among([NODE], monotonic=135.0) == []


def test_what_was_seen_in_every_look_for_one_lease_lasts() -> None:
    patience = Patience(timedelta(seconds=30))
    assert patience.lasting([NODE.id], monotonic=100.0) == []
    assert patience.lasting([NODE.id, OTHER.id], monotonic=115.0) == []
    assert patience.lasting([NODE.id, OTHER.id], monotonic=129.0) == []
    assert patience.lasting([NODE.id, OTHER.id], monotonic=130.0) == [NODE.id]


def test_a_time_in_which_nobody_looked_wears_no_patience_out() -> None:
    patience = Patience(timedelta(seconds=30))
    patience.lasting([NODE.id], monotonic=100.0)
    assert patience.lasting([NODE.id], monotonic=200.0) == []


def test_what_was_missing_in_one_look_begins_anew() -> None:
    patience = Patience(timedelta(seconds=30))
    patience.lasting([NODE.id], monotonic=100.0)
    patience.lasting([], monotonic=110.0)
    patience.lasting([NODE.id], monotonic=120.0)
    assert patience.lasting([NODE.id], monotonic=135.0) == []
