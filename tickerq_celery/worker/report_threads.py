"""Threads in which executions are recorded, so that a task waits for that a limited time."""

from collections.abc import Callable

from tickerq_celery.runtime.idle_threads import IdleThreads


class Recording:
    """What is being recorded of one execution, in one thread; ``is_over`` once all of that is done."""

    def __init__(self, threads: IdleThreads) -> None:
        self._threads = threads
        self._thread = threads.take()
        self.is_over: bool = False

    def wait(self, work: Callable[[], None], limit: float) -> bool:
        """Return True once ``work``, and all that was asked of its thread before, is done in time."""
        try:
            self._thread.call(work, limit=limit)
        except TimeoutError:
            return False
        self.is_over = True
        self._threads.give_back(self._thread)
        return True

    def leave(self) -> None:
        """Let the thread do what it was asked for by itself, and end then."""
        self._thread.end()


class ReportThreads:
    """Gives each recording a thread of its own while it goes on."""

    def __init__(self) -> None:
        self._idle = IdleThreads("tickerq-report")

    def record(self, work: Callable[[], None], *, limit: float, after: Recording | None = None) -> Recording:
        """Do ``work``, which raises nothing, and after what is not over; wait ``limit`` seconds at most."""
        recording = Recording(self._idle) if after is None or after.is_over else after
        recording.wait(work, limit)
        return recording
