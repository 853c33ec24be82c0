"""However many tabs ask, the store is asked once."""

import threading
from collections.abc import Callable

import pytest

from tests.dashboard.conftest import BASE, LOGIN, QUICK_HASH
from tests.dashboard.seeds import Seeds
from tickerq_celery.errors import QueryTooWideError
from tickerq_dashboard import create_app
from tickerq_dashboard.reading.cache import MOST, MomentCache


class Hand:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_an_answer_is_kept_for_its_moment() -> None:
    clock, asked = Hand(), []
    cache = MomentCache(fresh=1.0, clock=clock)
    for seconds in (0.0, 0.9, 1.1, 2.0):
        clock.seconds = seconds
        cache.get("key", lambda: asked.append(1))
    assert len(asked) == 2


def test_those_who_ask_at_the_same_time_share_one_reading() -> None:
    cache, begun, may_end, asked, answers = MomentCache(), threading.Event(), threading.Event(), [], []

    def read() -> str:
        asked.append(1)
        begun.set()
        may_end.wait(10)
        return "answer"

    threads = [threading.Thread(target=lambda: answers.append(cache.get("key", read))) for _ in range(8)]
    threads[0].start()
    begun.wait(10)
    for each in threads[1:]:
        each.start()
    may_end.set()
    for each in threads:
        each.join()
    assert (len(asked), answers) == (1, ["answer"] * 8)


def test_an_error_is_not_kept() -> None:
    cache, asked = MomentCache(), []

    def read() -> str:
        asked.append(1)
        if len(asked) == 1:
            raise ValueError("once")
        return "well"

    with pytest.raises(ValueError, match="once"):
        cache.get("key", read)
    assert cache.get("key", read) == "well"


def test_the_cache_is_bounded() -> None:
    cache = MomentCache()
    for number in range(3 * MOST):
        cache.get(number, lambda: None)
    assert len(cache._flights) == MOST


def test_fifty_tabs_cost_one_set_of_queries(seeds: Seeds, monkeypatch: pytest.MonkeyPatch) -> None:
    app = create_app(seeds.tickerq, users={"admin": QUICK_HASH})
    reads, core = [], seeds.tickerq.core
    bounded = type(core).read_bounded
    # However long fifty pages take on a busy machine, they are asked for in one moment.
    monkeypatch.setattr(MomentCache, "_is_old", lambda *_: False)
    here = threading.get_ident()

    def counted(*args: object, **options: object) -> object:
        # The report of health is read by a thread of its own.
        if threading.get_ident() == here:
            reads.append(1)
        return bounded(*args, **options)

    monkeypatch.setattr(type(core), "read_bounded", counted)
    client = app.test_client()
    client.get(BASE + "/errors", headers=LOGIN)
    first = len(reads)
    for _ in range(49):
        assert client.get(BASE + "/errors", headers=LOGIN).status_code == 200
    assert len(reads) == first > 0


@pytest.mark.parametrize("shared", [ValueError("well"), QueryTooWideError(0.1)], ids=["shared", "own"])
def test_those_who_wait_for_a_reading_that_was_out_of_time_read_for_themselves(shared: Exception) -> None:
    cache, begun, may_end, asked = MomentCache(), threading.Event(), threading.Event(), []
    answers: list[object] = []

    def first() -> str:
        begun.set()
        may_end.wait(10)
        raise shared

    def ask(read: Callable[[], object]) -> None:
        try:
            answers.append(cache.get("key", read))
        except (ValueError, QueryTooWideError) as error:
            answers.append(error)

    def later() -> str:
        asked.append(1)
        return "answer"

    threads = [threading.Thread(target=ask, args=(read,)) for read in (first, *[later] * 3)]
    threads[0].start()
    begun.wait(10)
    flight = cache._flights["key"]
    wait, waiting = flight.done.wait, threading.Semaphore(0)
    flight.done.wait = lambda timeout=None: waiting.release() or wait(timeout)  # type: ignore[method-assign]
    for each in threads[1:]:
        each.start()
    for _ in threads[1:]:
        assert waiting.acquire(timeout=10)
    may_end.set()
    for each in threads:
        each.join()
    is_own = isinstance(shared, QueryTooWideError)
    assert sorted(map(str, answers)) == sorted([str(shared), *["answer" if is_own else str(shared)] * 3])
    assert len(asked) == (3 if is_own else 0)
