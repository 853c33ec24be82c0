"""The context of a run: what its function reads, and how it acts on the run."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Protocol
from uuid import UUID

from typing_extensions import TypeVar

from tickerq_celery import validation
from tickerq_celery.enums import TickerType
from tickerq_celery.errors import TickerCancelled, TickerStateError
from tickerq_celery.ids import new_id
from tickerq_celery.payload import requests, results
from tickerq_celery.payload.codec import LARGEST_REQUEST
from tickerq_celery.tickers.sessions import SessionLike

# The default makes a bare `TickerContext` a complete annotation for strict type checkers. It is not Any: mypy
# cannot choose between the overloads of a decorator by an argument with Any in it.
RequestT = TypeVar("RequestT", default=object)
# Not the class's own: to a type checker that is bound already where the class is named bare.
GivenT = TypeVar("GivenT")


class RunHandle(Protocol):
    """What a context asks of the worker that executes its run."""

    def complete_in(self, session: SessionLike, *, result: object) -> None:
        """End the run, with a result, in the transaction of ``session``."""

    def report_progress(self, fraction: float, message: str | None) -> None:
        """Show how far the function is."""

    def log(self, text: str, level: str) -> None:
        """Keep one line with the run."""

    def is_cancellation_requested(self) -> bool:
        """Return True if the run is to be cancelled."""

    def request_cancellation(self) -> None:
        """Ask for the run to be cancelled."""

    def ensure_owned(self) -> None:
        """Raise ClaimSupersededError if another attempt does the run's work by now."""

    def skip_if_already_running(self) -> None:
        """End the run as Skipped if another occurrence of its cron ticker runs."""


# No slots: Python 3.11 cannot call `TickerContext[X](...)` on a frozen class that has them.
@dataclass(frozen=True, kw_only=True)
class TickerContext(Generic[RequestT]):
    """The run that is executing; ``TickerContext[T]`` has a ``request`` of type T.

    ``retry_count`` is 0 in the first attempt. ``is_late`` says that the run was claimed late.
    ``scheduled_for`` is the execution time as an aware UTC datetime, and None for a child that has none.
    """

    id: UUID
    parent_id: UUID | None
    type: TickerType
    function_name: str
    retry_count: int
    is_late: bool
    scheduled_for: datetime | None
    request: RequestT = field(repr=False)
    parent_result_bytes: bytes | None = field(default=None, repr=False)
    # None for a context that a test made: it reports to nothing, and no cancellation reaches it.
    _handle: RunHandle | None = field(default=None, repr=False, compare=False)

    @classmethod
    def for_test(
        cls,
        request: GivenT = None,  # type: ignore[assignment]  # what no request is, whatever the type
        *,
        id: UUID | None = None,
        parent_id: UUID | None = None,
        type: TickerType = TickerType.TIME_TICKER,
        function_name: str = "UnderTest",
        retry_count: int = 0,
        is_late: bool = False,
        scheduled_for: datetime | None = None,
        parent_result: object = None,
    ) -> "TickerContext[GivenT]":
        """Return a context to call a function with in a test; what it reports is forgotten.

        ``parent_result`` is what the parent's function returned.

        Raises:
            TickerValidationError: ``parent_result`` is no JSON.
        """
        requests.encode(parent_result, request_type=None, limit=LARGEST_REQUEST)
        return TickerContext(
            id=new_id() if id is None else id,
            parent_id=parent_id,
            type=type,
            function_name=function_name,
            retry_count=retry_count,
            is_late=is_late,
            scheduled_for=scheduled_for,
            request=request,
            parent_result_bytes=results.written(parent_result, limit=LARGEST_REQUEST),
        )

    @property
    def parent_result(self) -> Any:
        """What the parent's function returned, as plain JSON values; None for a head, and for no result.

        Raises:
            ParentResultError: The parent returned what is no JSON, or too large.
        """
        return results.read(self.parent_result_bytes)

    def complete_in(self, session: SessionLike, *, result: object = None) -> None:
        """End the run as done with the transaction of ``session``: both commit, or neither.

        ``session`` is a Session or a Connection on the store's database. Call it last, then commit.
        ``result`` is what children are given, instead of what the function returns.

        Raises:
            ClaimSupersededError: Another attempt does this run's work: let the transaction roll back.
            TickerStateError: The run has ended already, or this context is no executing run's.
            OtherDatabaseError: ``session`` is on another database than the store.
        """
        if self._handle is None:
            raise TickerStateError(self.id, "not being executed", "completed")
        self._handle.complete_in(session, result=result)

    def report_progress(self, fraction: float, message: str | None = None) -> None:
        """Report how far the run is, from 0 to 1, with a short message for people.

        Raises:
            TickerValidationError: ``fraction`` is no number from 0 to 1.
        """
        checked = validation.fraction("fraction", fraction)
        if self._handle is not None:
            self._handle.report_progress(checked, None if message is None else str(message))

    def log(self, text: str) -> None:
        """Keep a line with the run; an attempt may leave 1,000 lines of 2,000 characters, 256 KiB in all."""
        if self._handle is not None:
            self._handle.log(str(text), "INFO")

    @property
    def cancellation_requested(self) -> bool:
        """Whether the run is to be cancelled; cheap enough to ask in a loop."""
        return self._handle is not None and self._handle.is_cancellation_requested()

    def raise_if_cancelled(self) -> None:
        """Go on unless the run is to be cancelled.

        Raises:
            TickerCancelled: It is; let it out, and the run ends as Cancelled.
        """
        if self.cancellation_requested:
            raise TickerCancelled

    def request_cancellation(self) -> None:
        """Ask for this very run to be cancelled: whatever the function raises then, it is not retried.

        Raises:
            TickerStateError: This context is no executing run's.
            StoreError: The database is unreachable.
        """
        if self._handle is None:
            raise TickerStateError(self.id, "not being executed", "cancelled")
        self._handle.request_cancellation()

    def ensure_owned(self) -> None:
        """Go on only if this attempt still is the one that does the run's work: ask before a side effect.

        A process that was stalled for longer than a lease was taken for dead, and its run started elsewhere.
        It may be so again the moment after: what must not happen twice belongs into ``complete_in``.

        Raises:
            ClaimSupersededError: Another attempt does: let it out, nothing is recorded.
            StoreError: The database is unreachable.
        """
        if self._handle is not None:
            self._handle.ensure_owned()

    def skip_if_already_running(self) -> None:
        """Go on only if no other occurrence of the same cron ticker runs, in any worker.

        Of several that start together the one of the lowest execution time and id goes on, and no other may
        until it ends. A time ticker always goes on.

        Raises:
            TerminateExecution: Another one runs: let it out, and this one ends as Skipped.
            StoreError: The database is unreachable.
        """
        if self._handle is not None:
            self._handle.skip_if_already_running()
