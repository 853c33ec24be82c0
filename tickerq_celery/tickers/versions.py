"""Versions of what is stored: a caller changes what it has seen, or nothing."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeAlias
from uuid import UUID

from tickerq_celery import validation
from tickerq_celery.errors import TickerChangedError, TickerValidationError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Versioned(Protocol):
    """A run, a cron ticker or a pause, as it was read."""

    @property
    def version(self) -> str:
        """What every change of it that people can see changes."""


# What ``expected=`` takes: what was read, or its version; None where the caller has seen nothing.
ExpectedLike: TypeAlias = Versioned | str | None
# What it takes for several: those that were read, or a dict of them, or of their versions, by their ids.
ExpectedBatchLike: TypeAlias = Collection[Versioned] | Mapping[Any, Versioned | str] | None


def stamp(moment: datetime) -> str:
    """Return a moment as part of a version, to the microsecond."""
    return f"{(moment - _EPOCH) // timedelta(microseconds=1):x}"


def after_change(before: datetime, now: datetime) -> datetime:
    """Return when a change is said to have been made: now, and later than the one ``before`` it."""
    return max(now, before + timedelta(microseconds=1))


def wanted_version(expected: object, field: str = "expected") -> str | None:
    """Return the version that a caller expects, or None for any.

    Raises:
        TickerValidationError: It is nothing that has a version.
    """
    found = expected if isinstance(expected, str) else getattr(expected, "version", None)
    if expected is None or isinstance(found, str):
        return found
    raise TickerValidationError(field, expected, "pass what was read, or its version")


def expected_of(object_id: UUID, expected: object) -> dict[UUID, str]:
    """Return what a caller expects of one thing, as of several."""
    version = wanted_version(expected)
    return {} if version is None else {object_id: version}


def wanted_versions(expected: object, ids: Collection[UUID]) -> dict[UUID, str]:
    """Return the versions that a caller of a batch of ``ids`` expects, by these.

    They are given as a dict by ids, or as what was read.

    Raises:
        TickerValidationError: It is neither, or holds what has no version, or is not in the batch.
    """
    if expected is None:
        return {}
    if isinstance(expected, Mapping):
        pairs = [(each, value) for each, value in expected.items()]
    elif isinstance(expected, Collection) and not isinstance(expected, str):
        pairs = [(getattr(value, "id", None), value) for value in expected]
    else:
        raise TickerValidationError("expected", expected, "pass what was read, or a dict of versions by ids")
    found = {validation.identifier(each, "expected"): wanted_version(value) for each, value in pairs}
    for each in found.keys() - set(ids):
        raise TickerValidationError("expected", str(each), "its id is not in the batch")
    return {each: version for each, version in found.items() if version is not None}


def check_versions(expected: Mapping[UUID, str], current: Mapping[UUID, Versioned]) -> None:
    """Go on where the caller has seen what is stored; what is not there is another's error.

    Raises:
        TickerChangedError: One has changed since; the error has it as it is now.
    """
    for each, version in expected.items():
        if each in current:
            check_version(version, current[each], each)


def check_version(expected: str | None, current: Versioned, object_id: UUID | str) -> None:
    """Go on where the caller has seen what is stored, in the transaction that has it locked.

    Raises:
        TickerChangedError: It has changed since; the error has it as it is now.
    """
    if expected is not None and current.version != expected:
        raise TickerChangedError(object_id, current)
