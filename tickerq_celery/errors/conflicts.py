"""Errors about what is stored: it is not there, is locked, or is not what the caller expects."""

from uuid import UUID

from tickerq_celery.errors.ticker_error import TickerError
from tickerq_celery.wording import missing


class TickerNotFoundError(TickerError, LookupError):
    """None has this id, or this name; ``done`` is what was done to it before, by the same operation."""

    def __init__(self, kind: str, ticker_id: UUID | str, *, done: str | None = None, hint: str = "") -> None:
        super().__init__(missing(kind, ticker_id, done) + hint)
        self.kind = kind
        self.ticker_id = ticker_id
        self.done = done


class TickerStateError(TickerError):
    """The run's status does not allow what was asked; ``current`` is the run, or cron ticker, as it is."""

    current: object = None

    def __init__(self, ticker_id: UUID, status: str, wanted: str, *, what: str = "ticker") -> None:
        super().__init__(f"{what} {ticker_id} is {status}: it cannot be {wanted}")
        self.ticker_id = ticker_id
        self.status = status
        self.wanted = wanted


class ClaimSupersededError(TickerError):
    """The run was taken from the worker that executes it, so its function's transaction must not commit."""

    def __init__(self, ticker_id: UUID, claim_no: int) -> None:
        super().__init__(
            f"claim {claim_no} of run {ticker_id} was superseded: another attempt does its work, roll back"
        )
        self.ticker_id = ticker_id
        self.claim_no = claim_no


class TickerBusyError(TickerError):
    """Another process, perhaps a stalled one, keeps the run's row locked; ``current`` is as others see it."""

    current: object = None

    def __init__(self, ticker_id: UUID, wanted: str) -> None:
        super().__init__(f"ticker {ticker_id} is locked by another process: it was not {wanted}")
        self.ticker_id = ticker_id
        self.wanted = wanted


class TickerChangedError(TickerError):
    """What the caller has seen has changed; ``current`` is the run, cron ticker or pause as it is now."""

    def __init__(self, ticker_id: UUID | str, current: object) -> None:
        what = "ticker" if isinstance(ticker_id, UUID) else "the pause of"
        super().__init__(f"{what} {ticker_id} has changed since it was read: look at it again")
        self.ticker_id = ticker_id
        self.current = current


class OperationReusedError(TickerError):
    """An operation's id has served for another action, or for other arguments; nothing was changed."""

    def __init__(self, operation_id: UUID, action: str) -> None:
        super().__init__(f"operation_id: {operation_id} was used before, for {action}: make a new one")
        self.operation_id = operation_id
        self.action = action


class IllegalTransitionError(TickerError):
    """A status may not follow another; this is a bug in the caller."""

    def __init__(self, before: str, after: str) -> None:
        super().__init__(f"a run cannot go from {before} to {after}")
        self.before = before
        self.after = after


class UnreadableRequestError(TickerError, ValueError):
    """A stored request cannot be decrypted here, or is damaged."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the request cannot be read: {reason}")
        self.reason = reason
