"""Which request the runs of a function are to be given, and the errors for one too many or one forgotten."""

from dataclasses import dataclass

from tickerq_celery.errors import TickerValidationError
from tickerq_celery.payload import requests
from tickerq_celery.payload.redaction import discreet

_FIELD = "request"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedRequest:
    """What a run of ``function`` takes, as far as this process knows; a ``type`` of None is any JSON."""

    function: str
    type: object = None
    is_taken: bool = True

    def encode(self, request: object, *, limit: int) -> bytes | None:
        """Return a request as JSON of at most ``limit`` bytes; None where there is none.

        Raises:
            TickerValidationError: It does not fit the type; or the function takes none, or needs one.
        """
        if request is not None and not self.is_taken:
            raise TickerValidationError(
                _FIELD, discreet([_FIELD], request), f"function {self.function} takes none"
            )
        try:
            return requests.encode(request, request_type=self.type, limit=limit)
        except TickerValidationError as error:
            if request is not None:
                raise
            needed = f"function {self.function} needs one of type {_shown(self.type)}, and none was given"
            raise TickerValidationError(_FIELD, request, needed) from error


def _shown(hint: object) -> str:
    return hint.__name__ if isinstance(hint, type) else str(hint).removeprefix("typing.")
