"""Chains of cron tickers: each occurrence gets a copy."""

import random
import string
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.inner import Core, succeeded
from tests.integration.conftest import send
from tests.integration.cron.firing import fire as fire_all
from tests.integration.making import (
    all_rows,
    crons,
    enrolled,
    finish,
    locked_cron,
    make_cron,
    occurrences_of,
    started,
)
from tests.manual_clock import START, ManualClock
from tests.statements import occurrences
from tests.unmet import is_unmet_reason
from tickerq_celery import OverlapPolicy, RunCondition, TimeTicker
from tickerq_celery.enums import TickerPriority, TickerStatus, TickerType
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.tickers.run_rows import occurrence_row

CHAIN = (
    TimeTicker(
        function="Send",
        request={"to": "ops"},
        description="reports",
        retries=2,
        retry_intervals=(timedelta(seconds=5),),
        priority=TickerPriority.HIGH,
        queue="mail",
        tags=("eu",),
        run_condition=RunCondition.ON_FAILURE,
        children=(
            TimeTicker(function="Send", retries=0, retry_intervals=(), priority=TickerPriority.NORMAL),
        ),
    ),
    TimeTicker(function="Send", retries=0, retry_intervals=(), priority=TickerPriority.NORMAL),
)


@pytest.fixture
def core(make_core: Any) -> Core:
    """A core with a live worker that has ``Send``."""
    return enrolled(make_core(send()))


def fire(core: Core, clock: ManualClock) -> None:
    clock.advance(hours=1)
    fire_all(core)


def below(core: Core, run_id: UUID) -> list[Any]:
    return [row for row in all_rows(core) if row.parent_id == run_id]


def test_each_occurrence_has_a_copy_of_the_chain_that_waits_for_it(core: Core, clock: ManualClock) -> None:
    cron_id = make_cron(core, children=CHAIN)
    for _ in range(2):
        fire(core, clock)
    for occurrence in occurrences_of(core, cron_id):
        first, second = below(core, occurrence.id)
        (third,) = below(core, first.id)
        assert (first.request, first.retries, first.retry_intervals) == (
            b'{"to":"ops"}',
            2,
            (timedelta(seconds=5),),
        )
        assert (first.queue, first.tags, first.description) == ("mail", ["eu"], "reports")
        assert [row.run_condition for row in (first, second, third)] == [RunCondition.ON_FAILURE, None, None]
        for row in (first, second, third):
            assert (row.status, row.due_at, row.execution_time) == (TickerStatus.IDLE, None, None)
            assert (row.type, row.cron_ticker_id) == (TickerType.TIME_TICKER, None)
    assert len(all_rows(core)) == 8


def test_an_occurrences_end_decides_on_its_own_children_only(core: Core, clock: ManualClock) -> None:
    cron_id = make_cron(core, children=CHAIN)
    for _ in range(2):
        fire(core, clock)
    one, other = occurrences_of(core, cron_id)
    run = started(core, one.id)
    finish(core, run, succeeded(run.standing))
    first, second = below(core, one.id)
    assert (first.status, is_unmet_reason(first.skipped_reason)) == (TickerStatus.SKIPPED, True)
    assert second.due_at == clock.now()
    assert {row.status for row in below(core, other.id)} == {TickerStatus.IDLE}
    assert {row.due_at for row in below(core, other.id)} == {None}


def test_an_occurrence_that_is_skipped_at_once_gets_no_chain(core: Core, clock: ManualClock) -> None:
    cron_id = make_cron(core, children=CHAIN, overlap=OverlapPolicy.SKIP)
    for _ in range(2):
        fire(core, clock)
    first, second = occurrences_of(core, cron_id)
    assert second.status is TickerStatus.SKIPPED
    assert [len(below(core, each.id)) for each in (first, second)] == [2, 0]


def test_an_instant_that_has_its_occurrence_gets_no_second_chain(core: Core, clock: ManualClock) -> None:
    cron_id = make_cron(core, children=CHAIN)
    cron = locked_cron(core, cron_id)
    row = occurrence_row(cron, instant=START + timedelta(hours=1), now=START)
    core.write(occurrences.insert, [row])
    fire(core, clock)
    assert [each.id for each in all_rows(core)] == [row.id]


def test_a_cron_ticker_shows_its_chain_as_it_was_given(core: Core) -> None:
    cron = crons(core).get(make_cron(core, children=CHAIN))
    assert cron.children == CHAIN
    assert crons(core).get(make_cron(core)).children == ()


def test_an_edit_keeps_the_chain_and_a_new_chain_holds_from_the_next_occurrence_on(
    core: Core, clock: ManualClock
) -> None:
    cron_id = make_cron(core, children=CHAIN)
    fire(core, clock)
    assert crons(core).update(cron_id, description="hourly").children == CHAIN
    assert crons(core).update(cron_id, children=CHAIN[1:]).children == CHAIN[1:]
    fire(core, clock)
    assert [len(below(core, each.id)) for each in occurrences_of(core, cron_id)] == [2, 1]
    assert crons(core).update(cron_id, children=()).children == ()


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"execution_time": START}, r"children\[0\].execution_time: "),
        ({"unique_key": "once"}, r"children\[0\].unique_key: "),
        ({"retries": -1}, r"children\[0\].retries: "),
        ({"request": "x" * 1_100_000}, r"children\[0\].request: "),
    ],
    ids=["execution_time", "unique_key", "retries", "request"],
)
def test_a_chain_that_cannot_be_copied_is_refused(core: Core, fields: dict[str, Any], text: str) -> None:
    with pytest.raises(TickerValidationError, match=text):
        make_cron(core, children=[TimeTicker(function="Send", **fields)])


def test_a_chain_that_is_too_large_as_json_is_refused(core: Core) -> None:
    # Fits as a request. Compression shortens it by less than what bytes in JSON cost, a third.
    characters = string.ascii_letters + string.digits + "!#$%&'()*+,-./:;<=>?@[]^_`{|}~ "
    request = "".join(random.Random(0).choices(characters, k=1_040_000))
    with pytest.raises(TickerValidationError, match="children: a chain takes at most 1048576 bytes as JSON"):
        make_cron(core, children=[TimeTicker(function="Send", request=request)])
    assert not crons(core).find()


def test_a_deleted_cron_ticker_takes_the_chains_of_its_occurrences_with_it(
    core: Core, clock: ManualClock
) -> None:
    chain = TimeTicker(function="Send")
    for _ in range(30):
        chain = TimeTicker(function="Send", children=[chain])
    cron_id = make_cron(core, children=[chain])
    fire(core, clock)
    crons(core).delete(cron_id)
    assert all_rows(core) == []
