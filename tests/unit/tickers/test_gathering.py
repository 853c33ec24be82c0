"""One error for several checks that failed."""

import pytest

from tickerq_celery import validation
from tickerq_celery.errors import InvalidCronError, TickerValidationError
from tickerq_celery.tickers.gathering import Gathering


def test_checks_that_pass_return_what_they_return() -> None:
    with Gathering() as check:
        found = check(validation.whole, "a", 7, least=0)
    assert found == 7


def test_one_check_that_fails_is_raised_as_it_is() -> None:
    error = InvalidCronError("x", "odd")

    def fail() -> None:
        raise error

    with pytest.raises(InvalidCronError) as caught, Gathering() as check:
        check(fail)
    assert caught.value is error


def inner() -> None:
    with Gathering() as check:
        check(validation.retries, -1)
        check(validation.flag, "b", 2)


def outer() -> None:
    with Gathering() as check:
        check(validation.name, "a", "", 5)
        check(inner)
        check(validation.flag, "c", 3)


def test_several_are_one_error_that_names_each_once() -> None:
    with pytest.raises(TickerValidationError) as caught:
        outer()
    fields = [each.partition(":")[0] for each in str(caught.value).split("; ")]
    assert fields == ["a", "retries", "b", "c"]
    assert [error.field for error in caught.value.others] == fields[1:]


def broken() -> None:
    with Gathering() as check:
        check(validation.retries, -1)
        check(lambda: 1 / 0)


def test_another_error_ends_the_block_as_itself() -> None:
    with pytest.raises(ZeroDivisionError):
        broken()
