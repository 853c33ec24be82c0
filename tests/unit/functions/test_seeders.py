"""Seeders: what may be one, what it is called, and when the store's row lets it run."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickerq_celery.errors import DuplicateFunctionError, TickerValidationError
from tickerq_celery.functions.seeders import Seeder, Seeders, make_seeder

VERSIONS = st.one_of(st.none(), st.integers(1, 9))


def seed(session: object) -> None:
    """Seed nothing."""


async def seed_async(session: object) -> None:
    """Seed nothing."""


async def seed_in_steps(session: object) -> AsyncIterator[None]:
    """Seed nothing."""
    yield


def seed_without_session() -> None:
    """Seed nothing."""


def seed_with_more(session: object, count: int) -> None:
    """Seed nothing."""


def test_a_seeder_is_named_as_its_function_or_as_it_is_said() -> None:
    assert make_seeder(seed, name=None, version=None).name == "seed"
    assert make_seeder(seed, name="demo data", version=3) == Seeder(name="demo data", version=3, body=seed)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("demo", "decorate a function"),
        (partial(seed), "decorate a function"),
        (seed_async, "it is asynchronous: seeders run in a thread, write a plain def"),
        (seed_in_steps, "it is asynchronous"),
        (seed_without_session, "a seeder takes one argument, the session"),
        (seed_with_more, "a seeder takes one argument, the session"),
    ],
)
def test_what_cannot_seed_is_refused_in_words(body: Any, reason: str) -> None:
    with pytest.raises(TickerValidationError, match=reason) as caught:
        make_seeder(body, name=None, version=None)
    assert caught.value.field == "seeder"


@pytest.mark.parametrize("version", [0, -1, True, "2", 1.5, 2**31])
def test_a_version_is_a_whole_number(version: object) -> None:
    with pytest.raises(TickerValidationError, match="must be a whole number from 1 to") as caught:
        make_seeder(seed, name=None, version=version)
    assert (caught.value.field, caught.value.value) == ("version", version)


@pytest.mark.parametrize("name", ["", " demo", "de\nmo", "x" * 201, 5])
def test_a_name_is_checked(name: object) -> None:
    with pytest.raises(TickerValidationError) as caught:
        make_seeder(seed, name=name, version=None)
    assert caught.value.field == "name"


def test_two_seeders_need_two_names() -> None:
    seeders = Seeders()
    seeders.add(make_seeder(seed, name=None, version=None))
    seeders.add(make_seeder(seed, name=None, version=None))
    with pytest.raises(DuplicateFunctionError, match=r"seeder name 'seed' is taken by .*seed, line"):
        seeders.add(make_seeder(seed_with_default, name="seed", version=None))
    assert [each.name for each in seeders] == ["seed"]


def seed_with_default(session: object, count: int = 3) -> None:
    """Seed nothing."""


def test_seeders_stay_in_the_order_of_their_definition() -> None:
    seeders = Seeders()
    for name in ("users", "accounts", "orders"):
        seeders.add(make_seeder(seed, name=name, version=None))
    assert [each.name for each in seeders] == ["users", "accounts", "orders"]
    assert len(seeders) == 3


@given(own=VERSIONS, ran=VERSIONS, is_due=st.booleans())
def test_a_higher_version_runs_and_one_without_where_it_is_due(
    own: int | None, ran: int | None, is_due: bool
) -> None:
    wanted = make_seeder(seed, name=None, version=own).is_wanted(ran_version=ran, is_due=is_due)
    assert wanted == (is_due if own is None else own > (ran or 0))
