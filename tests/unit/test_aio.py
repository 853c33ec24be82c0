"""The managers for event loops have every verb, which behaves there as users expect."""

import asyncio
import inspect
import threading
from contextvars import ContextVar

import pytest

from tests.unit.verbs import verbs_of
from tickerq_celery.errors import TickerNotFoundError
from tickerq_celery.managers.asynchronous import AsyncListing, AsyncManager, AsyncVerb
from tickerq_celery.managers.bulk import AsyncBulk, BulkManager
from tickerq_celery.managers.cron.cron_tickers import AsyncCronTickers, CronTickerManager
from tickerq_celery.managers.error_groups import AsyncErrors, ErrorManager
from tickerq_celery.managers.health import AsyncHealth, HealthManager
from tickerq_celery.managers.pauses import AsyncPauses
from tickerq_celery.managers.runs.chains import AsyncChains, ChainManager
from tickerq_celery.managers.runs.runs import AsyncRuns, RunManager
from tickerq_celery.managers.stats import AsyncStats, StatsManager
from tickerq_celery.managers.time_tickers.time_tickers import AsyncTimeTickers, TimeTickerManager
from tickerq_celery.typing import PauseManager
from tickerq_celery.views import Page, Walk

PAIRS = [
    (AsyncTimeTickers, TimeTickerManager),
    (AsyncCronTickers, CronTickerManager),
    (AsyncRuns, RunManager),
    (AsyncPauses, PauseManager),
    (AsyncBulk, BulkManager),
    (AsyncHealth, HealthManager),
    (AsyncChains, ChainManager),
    (AsyncStats, StatsManager),
    (AsyncErrors, ErrorManager),
]
USER: ContextVar[str] = ContextVar("USER", default="none")


class Manager:
    """What a verb of it sees, and how far it came."""

    def __init__(self) -> None:
        self.began, self.may_end, self.ended = (threading.Event() for _ in range(3))
        self.read: list[str | None] = []

    def user(self, *, greeting: str = "Hello") -> str:
        """Greet the user."""
        return f"{greeting} {USER.get()}"

    def wait(self) -> None:
        self.began.set()
        assert self.may_end.wait(30)
        self.ended.set()

    def fail(self) -> None:
        raise TickerNotFoundError("run", "nothing")

    def iterate(self, *, count: int) -> Walk[int]:
        return Walk(lambda cursor: self._page(cursor, count))

    def _page(self, cursor: str | None, count: int) -> Page[int]:
        self.read.append(cursor)
        if self.began.is_set():
            assert self.may_end.wait(30)
        first = int(cursor or 0)
        last = min(first + 2, count)
        return Page(tuple(range(first, last)), str(last) if last < count else None)


class AsyncOne(AsyncManager):
    user = AsyncVerb(Manager.user)
    wait = AsyncVerb(Manager.wait)
    fail = AsyncVerb(Manager.fail)
    iterate = AsyncListing(Manager.iterate)


def made() -> tuple[Manager, AsyncOne]:
    manager = Manager()
    return manager, AsyncOne("manager", manager)


@pytest.mark.parametrize(("aio", "manager"), PAIRS)
def test_each_verb_of_a_manager_is_there_for_event_loops(aio: type[AsyncManager], manager: type) -> None:
    names = {name for name, _ in verbs_of(manager)}
    assert {name for name in dir(aio) if not name.startswith("_")} - {"name", "manager"} == names
    for name, verb in verbs_of(manager):
        found = getattr(aio("name", object()), name)
        assert found.__wrapped__ is verb
        assert found.__doc__ == verb.__doc__
        assert inspect.iscoroutinefunction(found) == (name != "iterate")


def test_a_verb_in_a_thread_sees_the_context_variables_of_its_caller() -> None:
    _, aio = made()

    async def call() -> str:
        USER.set("Ada")
        return await aio.user(greeting="Hi")

    assert asyncio.run(call()) == "Hi Ada"


def test_a_verb_raises_what_it_raises_elsewhere() -> None:
    _, aio = made()
    with pytest.raises(TickerNotFoundError):
        asyncio.run(aio.fail())


def test_a_verb_goes_on_whose_caller_is_cancelled() -> None:
    manager, aio = made()

    async def call() -> None:
        task = asyncio.create_task(aio.wait())
        await asyncio.to_thread(manager.began.wait, 30)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not manager.ended.is_set()
        manager.may_end.set()

    asyncio.run(call())
    assert manager.ended.is_set()


def test_a_verb_does_not_hold_the_event_loop_up() -> None:
    manager, aio = made()

    async def call() -> None:
        task = asyncio.create_task(aio.wait())
        await asyncio.to_thread(manager.began.wait, 30)
        manager.may_end.set()
        await task

    asyncio.run(call())
    assert manager.ended.is_set()


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_a_walk_of_an_event_loop_has_every_item_once(count: int) -> None:
    manager, aio = made()

    async def walk() -> list[int]:
        return [each async for each in aio.iterate(count=count)]

    assert asyncio.run(walk()) == list(range(count))
    assert len(manager.read) == max(1, -(-count // 2))


def test_a_walk_that_was_cancelled_goes_on_where_it_was() -> None:
    manager, aio = made()

    async def walk() -> list[int]:
        items = aio.iterate(count=5)
        found = [await anext(items), await anext(items)]
        manager.began.set()
        task = asyncio.ensure_future(anext(items))
        while len(manager.read) < 2:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        manager.may_end.set()
        return found + [each async for each in items]

    assert asyncio.run(walk()) == [0, 1, 2, 3, 4]
