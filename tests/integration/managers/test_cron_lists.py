"""Lists of cron tickers: their orders, pages both ways, light rows, and looks that end early."""

import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from tests.inner import Core, Transaction
from tests.integration.conftest import send
from tests.integration.making import crons, make_cron
from tests.integration.managers.list_pages import walked
from tests.manual_clock import START
from tests.statements import cron_lists, ordered_reads
from tests.tables import cron_tickers
from tickerq_celery import Cron, CronTicker, TimeTicker
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.tickers.listings import Position
from tickerq_celery.views import CronSummary, Listing

FUNCTIONS = ("shop.Send", "shop.Count", "mail.Send", "Shop.send")
LISTS = ("by_next_run", "by_name")
MINUTE = timedelta(minutes=1)
Page = Listing[CronSummary]
FAR = datetime.max.replace(tzinfo=START.tzinfo)


def listed(core: Core, listing: str, **keywords: Any) -> Page:
    page: Page = getattr(crons(core), listing)(**keywords)
    return page


def ids(page: Page) -> list[UUID]:
    return [each.id for each in page]


def change(core: Core, cron_id: UUID, **values: Any) -> None:
    """Write columns of a cron ticker past the managers."""
    core.write(lambda tx: tx.execute(update(cron_tickers).where(cron_tickers.c.id == cron_id).values(values)))


def some_crons(core: Core, count: int, chance: random.Random) -> list[Cron]:
    """Store cron tickers, some of them paused, ended or seeded, of which many fire next at the same time."""
    made = []
    for _ in range(count):
        cron_id = make_cron(core, function=chance.choice(FUNCTIONS), tags=chance.sample(["eu", "us"], 1))
        moment = START + chance.randrange(6) * MINUTE
        is_planned = chance.random() < 0.6
        change(
            core,
            cron_id,
            next_run_at=moment if is_planned else None,
            is_enabled=is_planned or chance.random() < 0.5,
            seed_expression=chance.choice([None, "@daily"]),
        )
        made.append(cron_id)
    return [crons(core).get(each) for each in made]


def in_order(listing: str, found: Sequence[Cron]) -> list[Cron]:
    """Return what is in a list, as a plain sort orders it."""
    if listing == "by_name":
        return sorted(found, key=lambda cron: (cron.function.encode(), cron.id))
    return sorted(found, key=lambda cron: (cron.next_run_at or FAR, cron.id))


@pytest.mark.every_database
def test_what_fires_next_comes_first_and_what_is_paused_or_has_ended_last(core: Core) -> None:
    ended = make_cron(core, "@hourly", end_at=START + 90 * MINUTE)
    change(core, ended, next_run_at=None)
    paused = make_cron(core, "@hourly")
    crons(core).pause(paused)
    daily, hourly = make_cron(core, "@daily"), make_cron(core, "@hourly")
    assert ids(listed(core, "by_next_run")) == [hourly, daily, ended, paused]
    crons(core).resume(paused)
    assert ids(listed(core, "by_next_run")) == [paused, hourly, daily, ended]


@pytest.mark.every_database
def test_names_are_in_the_order_of_their_bytes(core: Core) -> None:
    names = ["b", "ä", "a", "B", "\U0001f600", "\uffee", "a b", "a"]
    made = [make_cron(core, function=each) for each in names]
    assert ids(listed(core, "by_name")) == [made[each] for each in (3, 2, 7, 6, 0, 1, 5, 4)]


@pytest.mark.every_database
@pytest.mark.parametrize("prefix", ["", "shop.", "shop", "\ud7ff", "\ufffc", "\ufffd", "\U0001f600"])
def test_a_prefix_finds_all_names_that_begin_so(core: Core, prefix: str) -> None:
    ends = ["", "a", " a", "\xe9", "\ue000", "\uffee", "\ufffd", "\U0001f600", "\U0010fffd"]
    names = [f"{begin}{end}" for begin in ("shop.", prefix) for end in ends]
    names = [each for each in names if each and each == each.strip()]
    for name in names:
        make_cron(core, function=name)
    found = [each.function for each in listed(core, "by_name", function_prefix=prefix)]
    assert sorted(found) == sorted(each for each in names if each.startswith(prefix))


FILTERS: Sequence[tuple[dict[str, Any], Callable[[Cron], bool]]] = [
    ({}, lambda cron: True),
    ({"function": "shop.Send"}, lambda cron: cron.function == "shop.Send"),
    (
        {"function": ["shop.Send", "mail.Send", "gone"]},
        lambda cron: cron.function in {"shop.Send", "mail.Send"},
    ),
    ({"function": []}, lambda cron: False),
    ({"function_prefix": "shop."}, lambda cron: cron.function.startswith("shop.")),
    ({"is_enabled": False}, lambda cron: not cron.is_enabled),
    ({"is_enabled": True, "tag": "eu"}, lambda cron: cron.is_enabled and "eu" in cron.tags),
    ({"is_seeded": True}, lambda cron: cron.is_seeded),
    ({"is_seeded": False, "tag": "us"}, lambda cron: not cron.is_seeded and "us" in cron.tags),
    ({"function": "shop.Send", "function_prefix": "mail."}, lambda cron: False),
]


# One test for all filters: to store the cron tickers takes longer than to list them.
@pytest.mark.parametrize("listing", LISTS)
def test_all_pages_both_ways_are_what_a_look_at_every_row_finds(
    core: Core, monkeypatch: pytest.MonkeyPatch, listing: str
) -> None:
    monkeypatch.setattr(ordered_reads, "MOST_READ", 20)
    stored = in_order(listing, some_crons(core, 60, random.Random(5)))
    look = partial(listed, core, listing, limit=4)
    for filters, is_wanted in FILTERS:
        whole = [cron.id for cron in stored if is_wanted(cron)]
        pages = walked(look, **filters)
        assert [each for page in pages for each in ids(page)] == whole, filters
        assert pages[0].previous_cursor is None
        if len(pages) > 1:
            back = walked(look, is_back=True, cursor=pages[-1].previous_cursor, **filters)
            before = whole[: len(whole) - len(pages[-1])]
            assert [each for page in back[::-1] for each in ids(page)] == before, filters


def test_a_look_for_failing_ones_reads_as_few_rows_as_any_other(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ordered_reads, "MOST_READ", 50)
    for _ in range(11):
        make_cron(core)
    page = listed(core, "by_name", is_failing=True)
    assert (len(page), page.looked_back_to is None, page.next_cursor is None) == (0, False, False)
    assert listed(core, "by_name", is_failing=True, cursor=page.next_cursor).next_cursor is None


def test_a_light_row_is_the_cron_ticker_without_its_request_and_its_chain(core: Core) -> None:
    cron_id = make_cron(core, "@every 30s", request="x", tags=["eu"], children=[TimeTicker(function="Send")])
    crons(core).pause(cron_id, reason="down", by="mara")
    (light,) = listed(core, "by_next_run")
    full = crons(core).get(cron_id)
    shown = [name for name in CronSummary.__slots__ if name != "id"]
    assert {name: getattr(light, name) for name in shown} == {name: getattr(full, name) for name in shown}
    assert (light.every, light.version) == (timedelta(seconds=30), full.version)
    assert not hasattr(light, "request")
    assert not hasattr(light, "children")


def test_a_look_that_finds_too_few_ends_early_and_goes_on(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(50):
        change(core, make_cron(core), next_run_at=START + number * MINUTE)
    wanted = make_cron(core, "@yearly", tags=["rare"])
    monkeypatch.setattr(ordered_reads, "MOST_READ", 20)
    first = listed(core, "by_next_run", tag="rare")
    assert (ids(first), first.looked_back_to) == ([], START + 19 * MINUTE)
    assert [
        each for page in walked(partial(listed, core, "by_next_run"), tag="rare") for each in ids(page)
    ] == [wanted]


@pytest.mark.every_database
@pytest.mark.parametrize("is_backward", [False, True])
def test_a_far_search_goes_through_rows_of_which_a_column_of_the_order_is_null(
    core: Core, monkeypatch: pytest.MonkeyPatch, is_backward: bool
) -> None:
    monkeypatch.setattr(ordered_reads, "MOST_READ", 20)
    made = crons(core).add_batch(
        [
            CronTicker("Send", expression="@daily", description=None if each % 7 else "rare")
            for each in range(150)
        ]
    )
    core.write(lambda tx: tx.execute(update(cron_tickers).values(next_run_at=None, is_enabled=False)))
    rows = sorted((each.id for each in made), reverse=is_backward)
    wanted = [each for each in rows if crons(core).get(each).description]
    ends = [UUID(int=0), UUID(int=2**128 - 1)]
    start = Position(stage="unplanned", key=(ends[is_backward],), is_backward=is_backward)

    def search(tx: Transaction, reach: int) -> ordered_reads.FoundKeys:
        [stage] = cron_lists.by_next_run(tx, cron_lists.CronFilter(is_enabled=False))
        which, far = cron_tickers.c.description == "rare", ordered_reads.Reach(rows=reach, seconds=60)
        return ordered_reads.read_keys(tx, [stage], which, position=start, limit=60, reach=far)

    assert [key.values for key in core.read(search, 5_000).found] == [(each,) for each in wanted]
    early = core.read(search, 100)
    assert early.stopped_at is not None
    assert early.stopped_at.values == (rows[99],)


@pytest.mark.parametrize("listing", LISTS)
def test_a_cursor_of_another_list_or_of_other_filters_is_refused(core: Core, listing: str) -> None:
    some_crons(core, 10, random.Random(3))
    (other,) = (each for each in LISTS if each != listing)
    strange = [listed(core, other, limit=1), listed(core, listing, limit=1, is_seeded=True)]
    for cursor in [*(page.next_cursor for page in strange), "", "x", 7]:
        with pytest.raises(TickerValidationError, match="cursor"):
            listed(core, listing, cursor=cursor)


@pytest.mark.parametrize(
    ("filters", "field"),
    [
        ({"functions": "a"}, "functions"),
        ({"function": 7}, "function"),
        ({"function_prefix": "a\x00"}, "function_prefix"),
        ({"is_enabled": "yes"}, "is_enabled"),
        ({"is_seeded": 1}, "is_seeded"),
        ({"limit": 0}, "limit"),
    ],
)
def test_a_filter_that_means_nothing_is_refused_by_its_name(
    core: Core, filters: dict[str, Any], field: str
) -> None:
    with pytest.raises(TickerValidationError) as refused:
        listed(core, "by_name", **filters)
    assert refused.value.field == field


def test_what_is_of_another_namespace_is_not_listed(core: Core, make_core: Callable[..., Core]) -> None:
    make_cron(make_core(send(), namespace=f"{core.config.namespace}-2"))
    mine = make_cron(core)
    assert [ids(listed(core, each)) for each in LISTS] == [[mine], [mine]]
