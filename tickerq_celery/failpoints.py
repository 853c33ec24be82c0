"""Places where a test ends or stops this process, to show what a crash there does; off, and free, otherwise.

TICKERQ_FAILPOINT holds ``<place> <signal> <file>``, as in ``claimed SIGKILL /tmp/token``. Of all processes
that pass the place, the one that removes the file sends the signal to itself: a pool's later children inherit
the environment, and must live. The file's absence tells the test that it happened.
"""

import os
import signal
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

VARIABLE = "TICKERQ_FAILPOINT"


class Place(StrEnum):
    """A window of the protocol, as docs/reliability.md lists them."""

    ADDED = "added"
    """A run is committed, its adding process has not dispatched it."""
    CANCEL_UNCOMMITTED = "cancel_uncommitted"
    """A cancel is written, its transaction is open."""
    CANCELLED = "cancelled"
    """A cancel is committed, no worker has been told."""
    CLAIM_UNCOMMITTED = "claim_uncommitted"
    """The claim is written, its transaction is open."""
    CLAIMED = "claimed"
    """The claim is committed, no message is published."""
    PUBLISHED = "published"
    """A message is published and not stamped, others of its batch are not published."""
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
    """The end of an attempt is written, by whom ever, its transaction is open."""
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
    BURYING = "burying"
    """The runs of a dead node are rescued, its row is still there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trap:
    place: Place
    number: signal.Signals
    token: Path

    def spring(self) -> None:
        try:
            self.token.unlink()
        except FileNotFoundError:
            return
        os.write(2, f"failpoint {self.place}: {self.number.name}\n".encode())
        os.kill(os.getpid(), self.number)


def _trap(text: str | None) -> _Trap | None:
    if not text:
        return None
    try:
        place, number, token = text.split(" ", 2)
        return _Trap(place=Place(place), number=signal.Signals[number], token=Path(token))
    except (ValueError, KeyError) as error:
        raise ValueError(f"{VARIABLE}: pass '<place> <signal> <file>' (got {text!r}: {error})") from error


_TRAP = _trap(os.environ.get(VARIABLE))


def failpoint(place: Place) -> None:
    """Do nothing, unless a test has set a trap here."""
    if _TRAP is not None and _TRAP.place is place:
        _TRAP.spring()
