"""What is run and how: the columns that rows of cron tickers and of runs have in common."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from operator import attrgetter, is_
from typing import Protocol

from tickerq_celery import validation
from tickerq_celery.enums import OnLost, TickerKind, TickerPriority
from tickerq_celery.payload.codec import NO_REQUEST, Packed
from tickerq_celery.tickers.construction import constructor
from tickerq_celery.tickers.gathering import Gathering
from tickerq_celery.tickers.inputs import CronTicker, TimeTicker
from tickerq_celery.tickers.kind_fields import OF_FUNCTIONS, has_fields_of_tasks, refuse_fields_of_tasks
from tickerq_celery.tickers.timeouts import checked_timeouts


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a cron ticker and its occurrences have in common, and time tickers with both.

    ``request`` and ``encoding`` are what the codec packed; a timeout of None is the function's own. Of the
    call of a Celery task ``task_id`` is the id of its messages where that is not the run's own, and
    ``on_lost`` what becomes of a run whose worker died; both are None for functions.
    """

    namespace: str
    function: str
    kind: TickerKind = TickerKind.FUNCTION
    description: str | None = None
    request: bytes | None = field(default=NO_REQUEST.data, repr=False)
    encoding: int = NO_REQUEST.encoding
    task_id: str | None = None
    on_lost: OnLost | None = None
    retries: int = 0
    retry_intervals: tuple[timedelta, ...] = ()
    timeout: timedelta | None = None
    hard_timeout: timedelta | None = None
    priority: TickerPriority = TickerPriority.NORMAL
    queue: str | None = None
    concurrency_key: str | None = None
    tags: tuple[str, ...] = ()


WORK_FIELDS = tuple(each.name for each in fields(Work))
_OWN = ("description", "request", "encoding")
_SHARED = tuple(name for name in WORK_FIELDS if name not in _OWN)
_made = constructor(Work, [*_SHARED, *_OWN])
_shared_of = attrgetter(*_SHARED)


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionDefaults:
    """What a function defines for tickers that leave it open."""

    retries: int = 0
    retry_intervals: tuple[timedelta, ...] = ()
    priority: int = TickerPriority.NORMAL
    queue: str | None = None
    timeout: timedelta | None = None
    priority_queues: Mapping[TickerPriority, str] = field(default_factory=dict)


# What most tickers of a batch have in common, and None or an empty tuple in each that leaves it open.
_given_by = attrgetter("priority", "queue", "tags", *(name for name in OF_FUNCTIONS if name != "request"))


class NamesFunction(Protocol):
    """Anything that names a function or a Celery task, and maybe a namespace: a ticker."""

    @property
    def function(self) -> str | None:
        """The function's name."""

    @property
    def task(self) -> str | None:
        """The Celery task's name."""

    @property
    def namespace(self) -> str | None:
        """The namespace; None is the application's own."""


class WorkPlan:
    """The work of tickers of one function of a ``namespace``: what they have in common is checked once."""

    def __init__(self, *, function: str, namespace: str, defaults: FunctionDefaults) -> None:
        self._function = function
        self._namespace = namespace
        self._defaults = defaults
        self._given: tuple[object, ...] = ()
        self._shared: tuple[object, ...] | None = None

    def work_of(self, ticker: TimeTicker | CronTicker, packed: Packed | None) -> Work:
        """Return what a ticker asks for; its function's defaults fill open fields.

        ``packed`` is its request; None of one that was refused already, for other refusals beside that.

        Raises:
            TickerValidationError: Fields hold what cannot be stored; it names all of them.
        """
        # The very same objects, since of equal ones one may be refused: True is 1, and no number of retries.
        given = _given_by(ticker)
        packed = packed or NO_REQUEST
        if self._shared is None or has_fields_of_tasks(ticker) or not all(map(is_, given, self._given)):
            return self._checked(ticker, given, packed)
        return _made(*self._shared, optional_description(ticker.description), packed.data, packed.encoding)

    def _checked(self, ticker: TimeTicker | CronTicker, given: tuple[object, ...], packed: Packed) -> Work:
        open_as = self._defaults
        retries = open_as.retries if ticker.retries is None else ticker.retries
        intervals = open_as.retry_intervals if ticker.retry_intervals is None else ticker.retry_intervals
        level = open_as.priority if ticker.priority is None else ticker.priority
        with Gathering() as check:
            check(refuse_fields_of_tasks, ticker)
            description = check(optional_description, ticker.description)
            retries = check(validation.retries, retries)
            retry_intervals = check(validation.retry_intervals, intervals)
            timeouts = check(
                checked_timeouts, ticker.timeout, ticker.hard_timeout, of_function=open_as.timeout
            )
            priority = check(validation.member, "priority", level, TickerPriority)
            queue = check(_queue, ticker.queue, priority, open_as)
            concurrency_key = check(_concurrency_key, ticker.concurrency_key)
            tags = check(validation.tags, ticker.tags)
        work = Work(
            namespace=self._namespace,
            function=self._function,
            description=description,
            request=packed.data,
            encoding=packed.encoding,
            retries=retries,
            retry_intervals=retry_intervals,
            timeout=timeouts.soft,
            hard_timeout=timeouts.hard,
            priority=priority,
            queue=queue,
            concurrency_key=concurrency_key,
            tags=tuple(tags),
        )
        self._given, self._shared = given, _shared_of(work)
        return work


def optional_description(given: str | None) -> str | None:
    """Return a ticker's description, or None where it has none."""
    return None if given is None else validation.description(given)


def _queue(given: str | None, priority: TickerPriority, defaults: FunctionDefaults) -> str | None:
    named = defaults.queue if given is None else given
    queue = defaults.priority_queues.get(priority) if named is None else named
    return None if queue is None else validation.name("queue", queue, validation.LONGEST_QUEUE)


def _concurrency_key(given: str | None) -> str | None:
    if given is None:
        return None
    return validation.name("concurrency_key", given, validation.LONGEST_CONCURRENCY_KEY)
