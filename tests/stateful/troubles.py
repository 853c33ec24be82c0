"""Processes that are stopped, killed or refused where they wait for the store or the broker."""

import threading
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar

from tests.inner import Database
from tickerq_celery.errors import PublishError, StoreError
from tickerq_celery.store.database.errors import LostAnswerError

T = TypeVar("T")
_TIMEOUT_SECONDS = 60


class How(StrEnum):
    """What can happen to a process that asks the store or the broker."""

    STOPS = "stops"  # before it asks; it goes on later, or dies
    DIES = "dies"  # before it asks
    REFUSED = "refused"  # the other is unreachable
    UNANSWERED = "unanswered"  # the other did its part, and the answer was lost
    MISROUTED = "misrouted"  # this one message can never be published


class Trouble(NamedTuple):
    """What strikes a process, and how many questions it asks before that."""

    after: int
    how: How

    def __repr__(self) -> str:
        return f"Trouble({self.after}, How.{self.how.name})"


# What strikes one after the other, each counted from the one before.
Troubles = Sequence[Trouble]


class Killed(BaseException):
    """Unwinds what a killed process was doing; nothing that it still tries reaches any other process."""


class Process:
    """Does one piece of work at a time, each question to others being a point at which trouble strikes.

    Work that is to be stopped runs in a thread of its own, so that the production code is stopped as it
    is; only one thread runs at any moment.
    """

    def __init__(self) -> None:
        self.name = ""
        self.is_killed = False
        self.is_stopped = False
        self._to_come: list[Trouble] = []
        self._asked = 0
        self._was_struck = False
        self._came_through = False
        self._error: BaseException | None = None
        self._handed_over = threading.Semaphore(0)
        self._may_go_on = threading.Semaphore(0)

    def do(self, work: Callable[[], object], troubles: Troubles = ()) -> bool:
        """Do a piece of work; return True if it came through to its end."""
        assert not self.is_stopped, "a process does one thing at a time"
        self.is_killed = self._was_struck = False
        self._expect(troubles)
        if all(trouble.how is not How.STOPS for trouble in troubles):
            self._run(work)
            return self._result()
        self.is_stopped = True
        threading.Thread(target=self._run_apart, args=(work,), daemon=True).start()
        return self._until_it_stops()

    def go_on(self, troubles: Troubles = ()) -> bool:
        """Go on with work that was stopped; return True if it came through to its end."""
        assert self.is_stopped, "nothing was stopped"
        self._expect(troubles)
        self._may_go_on.release()
        return self._until_it_stops()

    def die(self) -> None:
        """End at once, in the middle of what was stopped."""
        self.is_killed = True
        if self.is_stopped:
            self.go_on()

    def ask(
        self,
        action: Callable[[], T],
        error: Exception,
        *,
        unanswered: Exception | None = None,
        misrouted: Exception | None = None,
    ) -> T:
        """Ask another process: the point at which trouble strikes, with ``error`` for an answer.

        ``unanswered`` is what is raised in its place where the other has done its part.
        """
        how = self.pause()
        if how is How.REFUSED:
            raise error
        if how is How.MISROUTED and misrouted is not None:
            raise misrouted
        answer = action()
        if how is How.UNANSWERED:
            raise unanswered or error
        return answer

    def pause(self) -> How | None:
        """Be stopped or killed here, if that is what strikes; return what else does."""
        how = self._struck()
        while how is How.STOPS:
            self._handed_over.release()
            assert self._may_go_on.acquire(timeout=_TIMEOUT_SECONDS), "it was not resumed"
            how = None if self.is_killed else self._struck()
        if self.is_killed or how is How.DIES:
            self.is_killed = True
            raise Killed
        return how

    def _expect(self, troubles: Troubles) -> None:
        self._to_come, self._asked = list(troubles), 0
        self._came_through, self._error = False, None

    def _struck(self) -> How | None:
        asked, self._asked = self._asked, self._asked + 1
        if not self._to_come or asked != self._to_come[0].after:
            return None
        self._was_struck, self._asked = True, 0
        return self._to_come.pop(0).how

    def _run(self, work: Callable[[], object]) -> None:
        try:
            work()
            self._came_through = True
        except BaseException as error:  # noqa: BLE001 - raised again where the caller waits for this work
            self._error = error

    def _run_apart(self, work: Callable[[], object]) -> None:
        self._run(work)
        self.is_stopped = False
        self._handed_over.release()

    def _until_it_stops(self) -> bool:
        assert self._handed_over.acquire(timeout=_TIMEOUT_SECONDS), "it neither stops nor ends"
        return not self.is_stopped and self._result()

    def _result(self) -> bool:
        error, self._to_come = self._error, []
        is_expected = isinstance(error, Killed) or (
            self._was_struck and isinstance(error, StoreError | PublishError)
        )
        if error is not None and not is_expected:
            raise error
        return self._came_through


class TroubledDatabase(Database):
    """The store as one process reaches it: each transaction is a question."""

    def __init__(self, store: Database, process: Process, written: Callable[[Process], None]) -> None:
        super().__init__(store.url)
        self.is_verified = True
        self._store = store
        self._process = process
        self._written = written

    def run(self, *arguments: Any, reading: bool, is_alone: bool = False) -> Any:
        def do() -> Any:
            result = self._store.run(*arguments, reading=reading, is_alone=is_alone)
            if not reading:
                self._written(self._process)
            return result

        unanswered = None if reading else LostAnswerError("no answer")
        return self._process.ask(do, StoreError("unreachable"), unanswered=unanswered)
