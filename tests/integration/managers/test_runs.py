"""Listing runs of both kinds, page by page."""

import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.integration.apps import dispatch_due, enrol_worker, execute, fire_crons, ticker_app
from tests.integration.reaching import reach
from tests.manual_clock import START, ManualClock
from tickerq_celery import CronTicker, Run, TickerQ, TickerStatus, TickerType, TimeTicker
from tickerq_celery.errors import TickerNotFoundError, TickerValidationError
from tickerq_celery.views import Page

LATER = START + timedelta(hours=1)


@pytest.fixture
def tickerq(store_url: str, namespace: str, clock: ManualClock) -> Iterator[TickerQ]:
    with ticker_app(store_url, namespace, clock) as made:
        for name in ("Send", "Clean"):
            made.function(name)(lambda: None)
        yield made


def add(tickerq: TickerQ, count: int, **fields: Any) -> list[Run]:
    ticker = TimeTicker(**{"function": "Send", "execution_time": LATER, **fields})
    return tickerq.time_tickers.add_batch([ticker] * count)


def occurrence(tickerq: TickerQ, clock: ManualClock) -> Run:
    cron = tickerq.cron_tickers.add(CronTicker(function="Clean", expression="* * * * *"))
    clock.advance(minutes=1)
    fire_crons(tickerq)
    return tickerq.cron_tickers.occurrences(cron.id)[0]


def walked(find: Callable[..., Page[Any]], **wanted: Any) -> list[Any]:
    """Return all pages of a listing as one list."""
    page = find(**wanted)
    items = list(page)
    while page.next_cursor is not None:
        page = find(cursor=page.next_cursor, **wanted)
        items += page
    return items


def test_runs_of_both_kinds_are_listed_newest_first(tickerq: TickerQ, clock: ManualClock) -> None:
    first, second = add(tickerq, 2)
    fired = occurrence(tickerq, clock)
    assert [run.id for run in tickerq.runs.find()] == [fired.id, second.id, first.id]
    assert [run.id for run in tickerq.time_tickers.find()] == [second.id, first.id]
    only = tickerq.runs.find(type=TickerType.CRON_TICKER_OCCURRENCE)
    assert [run.id for run in only] == [fired.id]
    assert only[0].cron_ticker_id == fired.cron_ticker_id


def test_a_run_of_either_kind_is_read_with_its_attempts(tickerq: TickerQ, clock: ManualClock) -> None:
    enrol_worker(tickerq)
    fired = occurrence(tickerq, clock)
    dispatch_due(tickerq)
    add(tickerq, 1, execution_time=None)
    execute(tickerq)
    for run in tickerq.runs.find():
        read = tickerq.runs.get(run.id)
        assert (read.status, [attempt.number for attempt in read.attempts]) == (TickerStatus.DONE, [0])
    with pytest.raises(TickerNotFoundError):
        tickerq.time_tickers.get(fired.id)
    with pytest.raises(TickerNotFoundError, match="no run"):
        tickerq.runs.get(uuid.uuid4())


def test_runs_are_found_by_function_and_status(tickerq: TickerQ, clock: ManualClock) -> None:
    sent = add(tickerq, 3)
    cleaned = add(tickerq, 1, function="Clean")
    clock.advance(hours=1)
    reach(tickerq, sent[0].id, TickerStatus.FAILED)
    reach(tickerq, sent[1].id, TickerStatus.DONE)
    find = tickerq.runs.find

    def ids(**wanted: Any) -> set[uuid.UUID]:
        return {run.id for run in find(**wanted)}

    assert ids(function="Clean") == {cleaned[0].id}
    assert ids(function="clean") == set()
    assert ids(status=TickerStatus.FAILED) == {sent[0].id}
    assert ids(status=[TickerStatus.FAILED, 3]) == {sent[0].id, sent[1].id}
    assert ids(status={TickerStatus.IDLE}, function="Send") == {sent[2].id}
    assert ids(status=[]) == set()
    assert len(ids(status=None)) == 4


@pytest.mark.parametrize("status", ["Dun", 8, [9], 1.5, True, object()])
@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_what_is_no_status_is_refused(tickerq: TickerQ, status: Any) -> None:
    with pytest.raises(TickerValidationError) as caught:
        tickerq.runs.find(status=status)
    assert caught.value.field == "status"


TAGS = [
    "eu",
    "EU",
    "europe",
    "50%",
    "5000",
    "a_b",
    "axb",
    'say "hi"',
    "say",
    "it's",
    "back\\slash",
    "/",
    "naïve ☃",
    ",",
]


@pytest.mark.parametrize("tag", TAGS)
def test_a_tag_is_found_as_a_whole_and_to_the_letter(tickerq: TickerQ, tag: str) -> None:
    for each in TAGS:
        add(tickerq, 1, tags=["first", each, "last"])
    assert [run.tags for run in tickerq.time_tickers.find(tag=tag)] == [("first", tag, "last")]
    assert len(tickerq.runs.find(tag="first")) == len(TAGS)
    assert not tickerq.runs.find(tag="fir")


def test_pages_show_each_run_once_while_others_come_and_go(tickerq: TickerQ) -> None:
    runs = add(tickerq, 25)
    page = tickerq.time_tickers.find(limit=10)
    seen = [run.id for run in page]
    add(tickerq, 7)
    tickerq.time_tickers.delete(runs[0].id)
    while page.next_cursor is not None:
        page = tickerq.time_tickers.find(limit=10, cursor=page.next_cursor)
        seen += [run.id for run in page]
    assert seen == [run.id for run in reversed(runs[1:])]


def test_a_walk_shows_each_run_once_while_others_come_go_and_change(tickerq: TickerQ) -> None:
    runs = add(tickerq, 25)
    walk = tickerq.time_tickers.iterate(page_size=10)
    seen = [next(walk).id for _ in range(10)]
    assert seen == [run.id for run in runs[:14:-1]]
    add(tickerq, 7)
    tickerq.time_tickers.delete_batch([run.id for run in (runs[15], runs[14], runs[0])])
    tickerq.time_tickers.update(runs[13].id, description="changed")
    rest = list(walk)
    assert [run.id for run in rest] == [run.id for run in runs[13:0:-1]]
    assert rest[0].description == "changed"


def test_between_two_pages_a_walk_holds_no_transaction(tickerq: TickerQ) -> None:
    add(tickerq, 3)
    pool = tickerq.core.database.engine.pool
    walk = tickerq.runs.iterate(page_size=2)
    next(walk)
    assert pool.checkedout() == 0
    assert len(list(walk)) == 2


def test_walks_take_the_filters_of_find(tickerq: TickerQ, clock: ManualClock) -> None:
    first, second = add(tickerq, 2)
    fired = occurrence(tickerq, clock)
    cron_id = fired.cron_ticker_id
    assert [run.id for run in tickerq.runs.iterate(page_size=1)] == [fired.id, second.id, first.id]
    assert [run.id for run in tickerq.time_tickers.iterate()] == [second.id, first.id]
    assert [run.id for run in tickerq.runs.iterate(cron_ticker_id=cron_id)] == [fired.id]
    assert [cron.id for cron in tickerq.cron_tickers.iterate(function="Clean", page_size=1)] == [cron_id]
    assert list(tickerq.cron_tickers.iterate(is_enabled=False)) == []
    assert list(tickerq.runs.iterate(status="Done")) == []


def test_a_walk_checks_its_filters_before_it_reads(tickerq: TickerQ) -> None:
    with pytest.raises(TickerValidationError, match="nonsense: there is no such filter"):
        tickerq.runs.iterate(nonsense=1)  # type: ignore[call-arg]
    for manager in (tickerq.runs, tickerq.time_tickers, tickerq.cron_tickers):
        for size in (0, 1_001, "ten"):
            with pytest.raises(TickerValidationError, match=f"page_size.*{size}"):
                manager.iterate(page_size=size)  # type: ignore[arg-type]


def test_the_last_page_says_so(tickerq: TickerQ) -> None:
    add(tickerq, 4)
    assert tickerq.runs.find(limit=4).next_cursor is None
    assert len(walked(tickerq.runs.find, limit=2)) == 4
    assert len(walked(tickerq.runs.find, limit=3, function="Send")) == 4
    assert tickerq.runs.find(limit=2, function="Unknown") == Page((), next_cursor=None)


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 1_001}, "limit"),
        ({"limit": "50"}, "limit"),
        ({"limit": True}, "limit"),
        ({"limit": None}, "limit"),
        ({"cursor": "next"}, "cursor"),
        ({"cursor": ""}, "cursor"),
        ({"cursor": 7}, "cursor"),
    ],
)
@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_bad_limit_or_cursor_is_named(tickerq: TickerQ, wanted: dict[str, Any], field: str) -> None:
    for find in (tickerq.runs.find, tickerq.time_tickers.find, tickerq.cron_tickers.find):
        with pytest.raises(TickerValidationError) as caught:
            find(**wanted)
        assert caught.value.field == field


def test_an_id_may_be_given_as_text(tickerq: TickerQ) -> None:
    (run,) = add(tickerq, 1)
    assert tickerq.runs.get(str(run.id)).id == run.id
    assert tickerq.time_tickers.get(str(run.id)).id == run.id
    tickerq.time_tickers.delete(str(run.id))


@pytest.mark.parametrize("wrong", ["", "42", "not-an-id", 42, None])
def test_what_is_no_id_is_an_error_that_says_so(tickerq: TickerQ, wrong: Any) -> None:
    for ask in (tickerq.runs.get, tickerq.time_tickers.delete, tickerq.cron_tickers.resume):
        with pytest.raises(TickerValidationError, match=r"^id: pass a UUID"):
            ask(wrong)


@pytest.mark.parametrize(("field", "longest"), [("reason", 500), ("by", 200)])
def test_words_about_a_pause_have_a_limit(tickerq: TickerQ, field: str, longest: int) -> None:
    cron = tickerq.cron_tickers.add(CronTicker(function="Clean", expression="* * * * *"))
    with pytest.raises(TickerValidationError, match=rf"^{field}: at most {longest} characters"):
        tickerq.cron_tickers.pause(cron.id, **{field: "x" * (longest + 1)})
    assert tickerq.cron_tickers.get(cron.id).is_enabled
