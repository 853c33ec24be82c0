"""What a ticker's message looks like: whatever looks otherwise is dropped before Celery trips over it."""

from collections.abc import Callable, Mapping
from uuid import UUID

from tickerq_celery.enums import TickerStatus, TickerType
from tickerq_celery.wording import shortened

# A ticker's message is a call without arguments: a few hundred bytes.
LARGEST_BODY = 64 * 1024
_LONGEST_TEXT = 1_000
_LARGEST_NUMBER = 366 * 24 * 3600
_TYPES = frozenset(int(kind) for kind in TickerType)
# What becomes of a run whose attempt was lost.
_AFTER_A_LOSS = frozenset(map(int, (TickerStatus.IDLE, TickerStatus.FAILED, TickerStatus.CANCELLED)))


def flaw_in_headers(headers: Mapping[str, object]) -> str | None:
    """Return which header no message of ours has, and Celery's worker would not survive, wait for or cut."""
    for name, is_sound in _HEADERS.items():
        if not is_sound(headers.get(name)):
            return f"its header {name!r} is {shortened(headers.get(name))}"
    return None


def flaw_in_call(call: object) -> str | None:
    """Return what is wrong with ``[args, kwargs, more]``, or None."""
    match call:
        case [list() | tuple(), dict(), None]:
            return None
        # Nothing follows a ticker's task, and nothing is made of several.
        case [list() | tuple(), dict(), dict(more)] if not any(more.values()):
            return None
    return f"its body is no call without callbacks ({type(call).__name__})"


def flaw_in_lost_call(args: object) -> str | None:
    """Return what is wrong with the arguments of a call for the exception handler, or None."""
    match args:
        case [str(ticker_id), int(kind), str(), int(status)] if _is_id(ticker_id):
            if kind in _TYPES and status in _AFTER_A_LOSS:
                return None
    return "its arguments are not those of a lost attempt"


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST_TEXT


def _is_text_or_none(value: object) -> bool:
    return value is None or _is_text(value)


def _is_none(value: object) -> bool:
    return value is None


def _is_number_or_none(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and 0 <= value <= _LARGEST_NUMBER)


def _are_limits(value: object) -> bool:
    return value is None or (
        isinstance(value, list | tuple)
        and len(value) == 2
        and all(_is_number_or_none(each) for each in value)
    )


def _are_names(value: object) -> bool:
    return value is None or (isinstance(value, list | tuple) and all(_is_text(each) for each in value))


def _is_mapping_or_none(value: object) -> bool:
    return value is None or isinstance(value, Mapping)


_HEADERS: Mapping[str, Callable[[object], bool]] = {
    "task": _is_text,
    "id": _is_text,
    "shadow": _is_text_or_none,
    "root_id": _is_text_or_none,
    "parent_id": _is_text_or_none,
    "group": _is_text_or_none,
    # What waits for its time waits in the store.
    "eta": _is_none,
    "expires": _is_none,
    "retries": _is_number_or_none,
    "timelimit": _are_limits,
    "stamped_headers": _are_names,
    "stamps": _is_mapping_or_none,
}
