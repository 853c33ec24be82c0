"""Pauses of more than one cron ticker: of a function, of a tag, or of everything."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from zlib import crc32

from tickerq_celery import validation
from tickerq_celery.enums import PauseKind
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.tickers.versions import stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Who paused what, when and why; ``name`` is the function or the tag, empty for everything."""

    kind: PauseKind
    name: str
    reason: str | None
    paused_by: str | None
    paused_at: datetime

    @property
    def version(self) -> str:
        """Which pause of its scope this is, for ``expected=``."""
        words = f"{self.paused_by}\n{self.reason}".encode("utf-8", "backslashreplace")
        return f"{stamp(self.paused_at)}.{crc32(words):x}"

    @property
    def key(self) -> str:
        """The key under which runs are held for this pause."""
        return f"{self.kind}:{self.name}"

    def covers(self, function: str, tags: Collection[str]) -> bool:
        """Whether it holds the runs of a function with these tags."""
        if self.kind is PauseKind.FUNCTION:
            return self.name == function
        return self.kind is PauseKind.EVERYTHING or self.name in tags


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a pause is of."""

    kind: PauseKind
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}".rstrip()


def scope_of(function: object, tag: object, everything: object) -> Scope:
    """Return what a caller wants paused or resumed.

    Raises:
        TickerValidationError: It is not exactly one of a function, a tag and everything.
    """
    if everything not in (True, False):
        raise TickerValidationError("everything", everything, "pass True or False")
    if (function is not None) + (tag is not None) + bool(everything) != 1:
        asked = {"function": function, "tag": tag, "everything": everything}
        raise TickerValidationError("function", asked, "pass one of function=, tag= and everything=True")
    if function is not None:
        return Scope(kind=PauseKind.FUNCTION, name=validation.function(function))
    if tag is not None:
        return Scope(kind=PauseKind.TAG, name=validation.name("tag", tag, validation.LONGEST_TAG))
    return Scope(kind=PauseKind.EVERYTHING, name="")


def covering(pauses: Sequence[Pause], function: str, tags: Collection[str]) -> Pause | None:
    """Return the first pause that holds the runs of a function with these tags, or None."""
    for pause in pauses:
        if pause.covers(function, tags):
            return pause
    return None
