"""Lists of runs: their orders, pages both ways, light rows, and looks that end early."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, update

from tests.conftest import DATABASES
from tests.inner import Core
from tests.integration.conftest import send
from tests.integration.making import (
    ON_SERVERS,
    enrolled,
    fail,
    make_run,
    make_runs,
    runs,
    started,
)
from tests.integration.managers.list_pages import walked
from tests.integration.managers.list_rows import (
    FUNCTIONS,
    expected,
    row,
    some_criteria,
    some_rows,
    store,
)
from tests.manual_clock import START, ManualClock
from tests.plans.explaining import queries
from tests.statements import ordered_reads
from tests.tables import tickers
from tests.thoroughness import in_proof, in_verify
from tickerq_celery.enums import HoldReason, TickerPriority, TickerStatus
from tickerq_celery.errors import TickerValidationError, UnknownKeywordError
from tickerq_celery.managers.runs import lists as run_lists
from tickerq_celery.views import Listing, RunSummary

MINUTE = timedelta(minutes=1)
LISTS = ("history", "active", "upcoming")
Page = Listing[RunSummary]


@pytest.fixture(params=DATABASES)
def store_url(request: pytest.FixtureRequest, lone_store: Callable[[str], str]) -> str:
    """A database without rows of other tests: a list reads those, too, and may end early by them."""
    return lone_store(request.param)


@pytest.fixture
def core(make_core: Callable[..., Core]) -> Core:
    """A core with a live worker that has ``Send``."""
    # Its reads have the time that a busy machine takes.
    return enrolled(make_core(send(), read_budget=30))


@pytest.fixture
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let one call read 20 rows at most."""
    monkeypatch.setattr(ordered_reads, "MOST_READ", 20)


def listed(core: Core, listing: str, **keywords: Any) -> Page:
    page: Page = getattr(runs(core), listing)(**keywords)
    return page


def ids(page: Page) -> list[UUID]:
    return [each.id for each in page]


def ended(core: Core, count: int, status: TickerStatus = TickerStatus.DONE, **columns: Any) -> list[UUID]:
    """Store runs that ended a minute after one another; return them in the order of history."""
    made = [
        row(core.config.namespace, status, at=START + number * MINUTE, **columns) for number in range(count)
    ]
    store(core, made)
    return [each["id"] for each in made[::-1]]


@pytest.mark.every_database
def test_a_run_that_was_added_first_and_failed_last_stands_on_top(core: Core, clock: ManualClock) -> None:
    first, second = make_runs(core, 2)
    for run_id in (second, first):
        clock.advance(minutes=1)
        assert fail(core, started(core, run_id))
    assert ids(listed(core, "history")) == [first, second]
    assert ids(listed(core, "history", status="failed")) == [first, second]


def test_a_run_of_a_distant_past_is_upcoming(core: Core) -> None:
    long_ago = row(core.config.namespace, TickerStatus.IDLE, at=datetime(1850, 1, 1, tzinfo=UTC))
    store(core, [long_ago])
    assert ids(listed(core, "upcoming")) == [long_ago["id"]]


def test_what_is_active_runs_the_longest_first_then_is_queued_then_is_held(core: Core) -> None:
    of = core.config.namespace
    status = TickerStatus
    rows = [
        row(of, status.IDLE, held_for="parent", hold_key="a"),
        row(of, status.IDLE, held_for="key", hold_key="b", priority=int(TickerPriority.LOW)),
        row(of, status.IDLE, held_for="key", hold_key="b", priority=int(TickerPriority.HIGH)),
        row(of, status.IDLE, held_for="key", hold_key="a"),
        row(of, status.QUEUED, at=START + MINUTE),
        row(of, status.QUEUED),
        row(of, status.IN_PROGRESS, at=START + MINUTE),
        row(of, status.IN_PROGRESS),
        row(of, status.IDLE),
        row(of, status.DONE),
    ]
    store(core, rows)
    found = listed(core, "active")
    assert ids(found) == [rows[each]["id"] for each in (7, 6, 5, 4, 3, 2, 1, 0)]
    assert (found[4].held_for, found[4].hold_key, found[4].held_since) == (HoldReason.KEY, "a", START)


def test_what_is_due_comes_before_what_is_scheduled(core: Core) -> None:
    later, now = make_run(core, delay=60), make_run(core)
    assert ids(listed(core, "upcoming")) == [now, later]
    assert ids(listed(core, "upcoming", due_until=START + MINUTE)) == [now]
    assert ids(listed(core, "upcoming", due_from=START + MINUTE)) == [later]


def test_a_light_row_says_what_a_list_shows_and_holds_no_request(core: Core, clock: ManualClock) -> None:
    run_id = make_run(core, request="x" * 1_000, tags=["eu"], unique_key="u")
    run = started(core, run_id)
    (running,) = listed(core, "active")
    assert (running.started_at, running.node, running.status) == (
        START,
        core.node.name,
        run_status(core, run_id),
    )
    assert fail(core, run)
    (light,) = listed(core, "history")
    full = runs(core).get(run_id)
    assert (light.id, light.tags, light.unique_key, light.node) == (run_id, ("eu",), "u", core.node.name)
    assert light.error_head == full.exception_message
    assert (light.ended_at, light.elapsed, light.origin) == (full.ended_at, full.elapsed, full.origin)
    assert not hasattr(light, "request")


def run_status(core: Core, run_id: UUID) -> TickerStatus:
    return runs(core).get(run_id).status


def test_an_error_is_cut_to_its_head_by_the_database(core: Core) -> None:
    ended(core, 1, TickerStatus.FAILED, exception_message="é" * 5_000, skipped_reason="why" * 100)
    (light,) = listed(core, "history")
    assert (light.error_head, light.skipped_head) == ("é" * 200, ("why" * 100)[:200])


def test_a_page_of_fifty_large_payloads_reads_few_bytes(core: Core) -> None:
    large = b"x" * 1_000_000
    for _ in range(50):
        ended(core, 1, request=large, result=large, exception_message="e" * 10_000)
    sent: list[tuple[str, Any]] = []

    def note(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if "SELECT" in statement:
            sent.append((statement, parameters))

    engine = core.reader.database.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        assert len(listed(core, "history", limit=50)) == 50
    finally:
        event.remove(engine, "before_cursor_execute", note)
    rows = core.database.read(
        lambda connection: [row for each in sent for row in connection.exec_driver_sql(*each)]
    )
    read = sum(len(value if isinstance(value, bytes) else str(value)) for row in rows for value in row)
    assert 50 * 200 < read < 200_000


@pytest.mark.parametrize("listing", LISTS)
def test_pages_both_ways_are_the_whole_list(core: Core, listing: str) -> None:
    rows = some_rows(core.config.namespace, 200, random.Random(7))
    store(core, rows)
    whole = expected(listing, rows, {})
    pages = walked(partial(listed, core, listing), limit=3)
    assert len(pages) > 2
    assert [each for page in pages for each in ids(page)] == whole
    assert pages[0].previous_cursor is None
    back = walked(partial(listed, core, listing), is_back=True, cursor=pages[-1].previous_cursor, limit=3)
    assert [each for page in back[::-1] for each in ids(page)] == whole[: -len(pages[-1])]
    assert back[-1].previous_cursor is None


@pytest.mark.timeout(900)
@pytest.mark.parametrize("examples", [15, in_verify(60), in_proof(600)])
def test_all_pages_are_what_a_look_at_every_row_finds(
    core: Core, monkeypatch: pytest.MonkeyPatch, examples: int
) -> None:
    rows = some_rows(core.config.namespace, 150, chance := random.Random(examples))
    store(core, [*rows, *some_rows(f"not-{core.config.namespace}", 150, chance)])
    for number in range(examples):
        monkeypatch.setattr(ordered_reads, "MOST_READ", chance.choice([12, 40, 2_000]))
        listing, limit, reach = chance.choice(LISTS), chance.randrange(1, 30), chance.choice([None, 30, 900])
        filters = some_criteria(chance)
        if chance.random() < 0.4:
            filters["exclude"] = some_criteria(chance)
        whole = expected(listing, rows, filters)
        pages = walked(partial(listed, core, listing), limit=limit, reach=reach, **filters)
        assert [each for page in pages for each in ids(page)] == whole, (number, listing, filters)
        back = walked(
            partial(listed, core, listing),
            is_back=True,
            cursor=pages[-1].previous_cursor,
            limit=limit,
            reach=reach,
            **filters,
        )
        before = whole[: len(whole) - len(pages[-1])] if pages[-1].previous_cursor else whole
        if len(pages) > 1:
            assert [each for page in back[::-1] for each in ids(page)] == before, (number, listing, filters)


def test_a_look_that_finds_too_few_ends_early_and_says_how_far_it_went(core: Core, few_at_once: None) -> None:
    wanted = ended(core, 1, queue="slow")
    made = ended(core, 50)
    page = listed(core, "history", queue="slow")
    assert (ids(page), page.looked_back_to) == ([], START + 30 * MINUTE)
    pages = walked(partial(listed, core, "history"), queue="slow")
    assert [each for page in pages for each in ids(page)] == wanted
    assert [page.looked_back_to for page in pages] == [START + 30 * MINUTE, START + 10 * MINUTE, None]
    assert len(made) == 50


def test_a_search_reaches_as_far_as_it_is_asked_to_in_a_few_statements(core: Core, few_at_once: None) -> None:
    [wanted] = ended(core, 1, queue="slow")
    ended(core, 5_000)
    search = partial(listed, core, "history", queue="slow")
    assert (ids(search(reach=9_000)), search(reach=9_000).looked_back_to) == ([wanted], None)
    # A few rows, all others by how rare what is wanted was among those, and what was found.
    with queries() as sent:
        search(reach=9_000)
    assert len([each for each in sent if "is_wanted" in each.statement]) == 3
    early = listed(core, "history", queue="slow", reach=200)
    assert (ids(early), early.looked_at, early.looked_back_to) == ([], 200, START + 4_800 * MINUTE)


def test_a_search_ends_when_its_time_is_over_and_says_how_far_it_went(
    core: Core, few_at_once: None, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended(core, 1, queue="slow")
    ended(core, 5_000)
    looks = count()
    # Each look at the clock is ten seconds later, of which the search has 18.
    monkeypatch.setattr(core.clock, "monotonic", lambda: 10.0 * next(looks))
    page = listed(core, "history", queue="slow", reach=100_000)
    assert page.looked_at == 51
    assert page.looked_back_to is not None


def test_a_search_of_a_page_that_has_little_time_left_ends_within_that(
    core: Core, few_at_once: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended(core, 5_000)
    looks = count()
    monkeypatch.setattr(core.clock, "monotonic", lambda: next(looks) / 4)
    monkeypatch.setattr(run_lists, "part_of", lambda seconds: 0.5)
    page = listed(core, "history", queue="slow", reach=100_000)
    assert (page.looked_at, page.looked_back_to) == (51, START + 4_949 * MINUTE)


def test_a_look_by_an_index_does_not_end_early_for_what_others_have(core: Core, few_at_once: None) -> None:
    (wanted,) = ended(core, 1, TickerStatus.FAILED, function=FUNCTIONS[1], ended_on="one@a")
    ended(core, 50)
    of_each: list[dict[str, Any]] = [
        {"function": FUNCTIONS[1]},
        {"function": [FUNCTIONS[1], FUNCTIONS[2]]},
        {"status": "failed"},
        {"node": "one@a"},
        {"ended_until": START + MINUTE / 2},
    ]
    (call,) = ended(core, 1, kind="celery_task")
    for filters in ({"is_published": True}, {"outcome_known": False, "status": ["done", "due_done"]}):
        page = listed(core, "history", **filters)
        assert (ids(page), page.looked_back_to) == ([call], None), filters
    for filters in of_each:
        page = listed(core, "history", **filters)
        assert wanted in ids(page), filters
        assert page.looked_back_to is None, filters


def test_what_ends_meanwhile_moves_no_page(core: Core) -> None:
    whole = ended(core, 10)
    first = listed(core, "history", limit=4)
    new = row(core.config.namespace, TickerStatus.FAILED, at=START + 60 * MINUTE)
    store(core, [new])
    second = listed(core, "history", limit=4, cursor=first.next_cursor)
    assert ids(first) + ids(second) == whole[:8]
    assert ids(listed(core, "history", limit=4, cursor=second.previous_cursor)) == whole[:4]
    newer = listed(
        core,
        "history",
        limit=4,
        cursor=listed(core, "history", limit=4, cursor=second.previous_cursor).previous_cursor,
    )
    assert ids(newer) == [new["id"]]


def test_a_run_that_was_retried_meanwhile_is_left_out_and_the_pages_go_on(core: Core) -> None:
    whole = ended(core, 10, TickerStatus.FAILED)
    first = listed(core, "history", limit=4)
    runs(core).retry(whole[3])
    runs(core).retry(whole[5])
    second = listed(core, "history", limit=4, cursor=first.next_cursor)
    assert ids(second) == [whole[4], *whole[6:9]]
    assert ids(listed(core, "history", limit=4, cursor=second.previous_cursor)) == whole[:3]


def test_a_page_back_from_where_nothing_is_left_leads_on_again(core: Core) -> None:
    whole = ended(core, 6, TickerStatus.FAILED)
    second = listed(core, "history", limit=3, cursor=listed(core, "history", limit=3).next_cursor)
    for each in whole[:3]:
        runs(core).retry(each)
    empty = listed(core, "history", limit=3, cursor=second.previous_cursor)
    assert (ids(empty), empty.previous_cursor) == ([], None)
    assert ids(listed(core, "history", limit=3, cursor=empty.next_cursor)) == whole[3:]


@pytest.mark.parametrize("listing", LISTS)
def test_a_cursor_of_another_list_of_other_filters_or_made_by_hand_is_refused(
    core: Core, listing: str
) -> None:
    store(core, some_rows(core.config.namespace, 60, random.Random(3)))
    own = listed(core, listing, limit=1).next_cursor
    others = [listed(core, each, limit=1).next_cursor for each in LISTS if each != listing]
    filtered = listed(core, listing, limit=1, exclude={"queue": "none"}).next_cursor
    assert own is not None
    for cursor in [*others, filtered, "", "x", own[:-9], "9" * 5_000, own + "A" * 9, 7, "bnVsbA"]:
        with pytest.raises(TickerValidationError, match="cursor") as refused:
            listed(core, listing, limit=1, cursor=cursor)
        assert refused.value.field == "cursor"
    assert ids(listed(core, listing, limit=1, cursor=own))


@pytest.mark.parametrize(
    ("filters", "field"),
    [
        ({"nodes": "one"}, "nodes"),
        ({"exclude": {"nodes": "one"}}, "nodes"),
        ({"exclude": {"exclude": {}}}, "exclude"),
        ({"exclude": {"status": "over"}}, "exclude.status"),
        ({"exclude": "queue"}, "exclude"),
        ({"min_attempts": -1}, "min_attempts"),
        ({"min_elapsed": "long"}, "min_elapsed"),
        ({"priority": "urgentest"}, "priority"),
        ({"origin": "thin air"}, "origin"),
        ({"root_id": "no"}, "root_id"),
        ({"function": ["a"] * 51}, "function"),
        ({"routed": "shop.Send"}, "routed"),
        ({"routed": [], "tag": "eu"}, "routed"),
        ({"exclude": {"routed": "shop.Send"}, "queue": "slow"}, "exclude.routed"),
        ({"exclude": {"queue": "slow"}, "routed": "shop.Send"}, "routed"),
        ({"limit": 1_001}, "limit"),
    ],
)
def test_a_filter_that_means_nothing_is_refused_by_its_name(
    core: Core, filters: dict[str, Any], field: str
) -> None:
    with pytest.raises((TickerValidationError, UnknownKeywordError)) as refused:
        listed(core, "history", **filters)
    assert refused.value.field == field


def test_attempts_and_durations_are_counted_from(core: Core, clock: ManualClock) -> None:
    twice, once = make_run(core, retries=1, retry_intervals=[1]), make_run(core)
    assert fail(core, started(core, twice))
    clock.advance(seconds=1)
    assert fail(core, started(core, twice))
    assert fail(core, started(core, once))
    assert ids(listed(core, "history", min_attempts=2)) == [twice]
    assert set(ids(listed(core, "history", exclude={"min_attempts": 2}))) == {once}
    assert len(listed(core, "history", min_elapsed=1.5)) == 2
    assert ids(listed(core, "history", min_elapsed=1.6)) == []


def test_what_runs_has_taken_as_long_as_it_runs(core: Core, clock: ManualClock) -> None:
    run_id = started(core, make_run(core)).id
    clock.advance(seconds=30)
    assert ids(listed(core, "active", min_elapsed=30)) == [run_id]
    assert ids(listed(core, "active", min_elapsed=31)) == []


def test_find_takes_the_same_filters(core: Core) -> None:
    (failed,) = ended(core, 1, TickerStatus.FAILED, exception_type="shop.Gone", queue="slow")
    (done,) = ended(core, 1)
    found = runs(core).find(error_type="shop.Gone", exclude={"queue": "fast"})
    assert [run.id for run in found] == [failed]
    assert [run.id for run in runs(core).find(exclude={"queue": "slow"})] == [done]
    assert runs(core).count(function=[FUNCTIONS[0], "other"], function_prefix="shop.") == 2


def test_what_is_of_another_namespace_is_not_listed(core: Core, make_core: Callable[..., Core]) -> None:
    other = make_core(send(), namespace=f"{core.config.namespace}-2")
    mine = ended(core, 2)
    ended(other, 3)
    assert ids(listed(core, "history")) == mine


@pytest.mark.parametrize("store_url", ON_SERVERS, indirect=True)
def test_a_row_that_changed_between_two_statements_is_not_shown_as_it_was(core: Core) -> None:
    whole = ended(core, 3)
    changed = update(tickers).where(tickers.c.id == whole[1]).values(ended_at=START + 90 * MINUTE)
    done: list[None] = []

    def change(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if "error_head" in statement and not done:
            done.append(None)
            core.write(lambda tx: tx.execute(changed))

    engine = core.reader.database.engine
    event.listen(engine, "before_cursor_execute", change)
    try:
        assert ids(listed(core, "history")) == [whole[0], whole[2]]
    finally:
        event.remove(engine, "before_cursor_execute", change)
