"""Crash points, at which a test ends or stops this process; off, and free, otherwise.

TICKERQ_FAILPOINT holds ``<point> <signal> <file>``, as in ``claimed SIGKILL /tmp/token``. Of all processes
that pass the point, the one that removes the file sends the signal to itself: a pool's later children inherit
the environment, and must live. The file's absence shows the test that it happened.
"""

import os
import signal
import threading
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

VARIABLE = "TICKERQ_FAILPOINT"


class CrashPoint(StrEnum):
    """A window of the protocol, as docs/how-it-works/reliability.md lists them."""

    ADDED = "added"
    """A run is committed, its adding process has not dispatched it."""
    BULK_UNCOMMITTED = "bulk_uncommitted"
    """A batch of a bulk job is written, its transaction is open."""
    CANCEL_UNCOMMITTED = "cancel_uncommitted"
    """A cancel is written, its transaction is open."""
    CANCELLED = "cancelled"
    """A cancel is committed, no worker is notified."""
    CLAIM_UNCOMMITTED = "claim_uncommitted"
    """The claim is written, its transaction is open."""
    CLAIMED = "claimed"
    """The claim is committed, no message is published."""
    PUBLISHED = "published"
    """A message is published and not stamped, others of its batch are not published; as one batch all are."""
    REFUSED = "refused"
    """The broker did not take a message, its claim is not given back."""
    STAMPED = "stamped"
    """Messages are published, and stamped."""
    RECEIVED = "received"
    """A worker has the message, the run is Queued."""
    START_UNCOMMITTED = "start_uncommitted"
    """The start is written, its transaction is open."""
    STARTED = "started"
    """The start is committed, the body has not begun."""
    BODY_ENDED = "body_ended"
    """The body is done, its end is not recorded."""
    FINISH_UNCOMMITTED = "finish_uncommitted"
    """The end of an attempt is written, by its worker or another process, its transaction is open."""
    FINISHED = "finished"
    """The end is committed, the exception handler has not been called, the message is not acknowledged."""
    FIRE_UNCOMMITTED = "fire_uncommitted"
    """Occurrences are written and their crons advanced, the transaction is open."""
    FIRED = "fired"
    """Occurrences are committed, none is claimed."""
    TAKEN_OVER = "taken_over"
    """The sweep has taken runs over whose messages seem lost, and published none again."""
    RESCUED = "rescued"
    """A lost attempt has been ended, the exception handler's call is not published."""
    REAPING = "reaping"
    """The runs of a dead node are rescued, its row is still there."""
    ARCHIVED = "archived"
    """What is pruned stands in the archive, and is not deleted."""
    PRUNE_UNCOMMITTED = "prune_uncommitted"
    """What is expired is deleted, the transaction is open."""

    ROLLUP_COUNTED = "rollup_counted"
    """Ends are added to the roll-up, its watermark has not moved, the transaction is open."""
    ROLLUP_UNCOMMITTED = "rollup_uncommitted"
    """The watermark has moved, the transaction is open."""
    ROLLED_UP = "rolled_up"
    """Ends are counted, and the watermark's move is committed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trap:
    point: CrashPoint
    number: signal.Signals
    token: Path

    def spring(self) -> None:
        try:
            self.token.unlink()
        except FileNotFoundError:
            return
        os.write(2, f"failpoint {self.point}: {self.number.name}\n".encode())
        # To this thread: one that is sent to the process may let this thread go on for a moment.
        signal.pthread_kill(threading.get_ident(), self.number)


def _trap(text: str | None) -> _Trap | None:
    if not text:
        return None
    try:
        point, number, token = text.split(" ", 2)
        return _Trap(point=CrashPoint(point), number=signal.Signals[number], token=Path(token))
    except (ValueError, KeyError) as error:
        raise ValueError(f"{VARIABLE}: pass '<point> <signal> <file>' (got {text!r}: {error})") from error


_TRAP = _trap(os.environ.get(VARIABLE))


def failpoint(point: CrashPoint) -> None:
    """Do nothing, unless a test has set a trap here."""
    if _TRAP is not None and _TRAP.point is point:
        _TRAP.spring()
