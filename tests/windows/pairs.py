"""On which databases and brokers each window is tried."""

import itertools
from collections.abc import Iterator

import pytest

from tests.conftest import BROKERS, DATABASES
from tests.windows.windows import WINDOWS, Pair, Window


def in_each(*windows: Window, store: str = "store_url", broker: str = "broker_url") -> pytest.MarkDecorator:
    """Run a test in each window on its pairs; the fixtures named here get the kind of store and of broker."""
    cases = [case for window in windows for case in _cases_of(window)]
    return pytest.mark.parametrize(("window", store, broker), cases, indirect=[store, broker])


def quick_pair_of(window: Window) -> Pair:
    """Return the pair on which a quick run tries a window; any nine that stand together meet every pair."""
    return window.quick or _diagonal(window)[0]


def pairs_of(window: Window) -> list[Pair]:
    """Return the pairs up to `make verify`: each database and each broker, and first the quick run's."""
    return list(dict.fromkeys([quick_pair_of(window), *_diagonal(window)]))


def further_pairs_of(window: Window) -> list[Pair]:
    """Return the pairs that are left to `make proof`: the others, if the window is between the two."""
    every = itertools.product(DATABASES, BROKERS) if window.involves_broker else ()
    return [pair for pair in itertools.starmap(Pair, every) if pair not in pairs_of(window)]


def _diagonal(window: Window) -> list[Pair]:
    """Return three pairs that have each database and each broker once, others for the next window."""
    index = WINDOWS.index(window)
    first = index + index // 3
    return [Pair(DATABASES[(index + shift) % 3], BROKERS[(first + shift) % 3]) for shift in range(3)]


def _cases_of(window: Window) -> Iterator[object]:
    for pair in pairs_of(window):
        is_quick = pair == quick_pair_of(window) and not window.is_variant
        yield _case(window, pair, () if is_quick else pytest.mark.verify)
    for pair in further_pairs_of(window):
        yield _case(window, pair, pytest.mark.proof)


def _case(window: Window, pair: Pair, marks: pytest.MarkDecorator | tuple[()]) -> object:
    name = f"{window.name}-{pair.store}-{pair.broker}"
    return pytest.param(window, pair.store, pair.broker, id=name, marks=marks)
