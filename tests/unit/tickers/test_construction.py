"""Frozen values that were made fast are those that their class makes."""

from dataclasses import FrozenInstanceError, dataclass, fields, replace
from datetime import UTC, datetime

import pytest

from tickerq_celery import Run
from tickerq_celery.tickers.construction import constructor
from tickerq_celery.tickers.run_rows import RunRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sized(Named):
    size: int = 1
    label: str | None = None


def test_a_value_made_fast_is_the_one_that_its_class_makes() -> None:
    made = constructor(Sized, ["label", "size", "name"])("l", 2, "n")
    assert type(made) is Sized
    assert (made, hash(made), repr(made)) == (
        (wanted := Sized(name="n", size=2, label="l")),
        hash(wanted),
        repr(wanted),
    )
    assert replace(made, size=3) == replace(wanted, size=3)


def test_a_value_made_fast_is_frozen() -> None:
    made = constructor(Sized, ["name", "size", "label"])("n", 1, None)
    with pytest.raises(FrozenInstanceError):
        made.size = 2  # type: ignore[misc]
    with pytest.raises((FrozenInstanceError, AttributeError, TypeError)):
        made.other = 2  # type: ignore[attr-defined]


@pytest.mark.parametrize("names", [["name", "size"], ["name", "size", "label", "other"]])
def test_each_field_is_named(names: list[str]) -> None:
    with pytest.raises(AssertionError, match="each field of Sized"):
        constructor(Sized, names)


@pytest.mark.parametrize("kind", [Run, RunRow])
def test_rows_and_views_can_be_made_fast(kind: type) -> None:
    names = [each.name for each in fields(kind)]
    values = [datetime(2026, 1, 1, tzinfo=UTC) for _ in names]
    made = constructor(kind, names)(*values)
    assert made == kind(**dict(zip(names, values, strict=True)))
