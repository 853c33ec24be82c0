"""What a broker that was reached does instead of taking a message, in words that follow "the broker has"."""

from collections.abc import Iterator

from kombu import Connection
from kombu.exceptions import KombuError

from tickerq_celery.broker.confirms import BlockedError
from tickerq_celery.wording import without_credentials

_LONGEST = 200
# What redis-py has made an error's class of, and taken from its text.
_CODES = {"OutOfMemoryError": "OOM", "ReadOnlyError": "READONLY", "NoPermissionError": "NOPERM"}
# Before it redis-py says the command, with the message.
_IN_A_PIPELINE = " of pipeline caused error: "


def refusal_of(error: BaseException, connection: Connection, answer_timeout: float) -> str | None:
    """Return why the broker took no message, in its own words where it has some; None where it was lost."""
    while isinstance(error, KombuError) and error.__cause__ is not None:
        # Kombu's is about another one's.
        error = error.__cause__
    if isinstance(error, BlockedError):
        return f"taken no messages, as it has an alarm: {_words(error)}"
    if any(isinstance(each, TimeoutError) for each in _causes(error)):
        return f"confirmed no message within {answer_timeout:g} s"
    if isinstance(error, connection.connection_errors):
        return None
    return f"refused messages: {_words(error)}"


def _words(error: BaseException) -> str:
    kind = type(error).__name__
    text = " ".join(str(error).rpartition(_IN_A_PIPELINE)[2].split()) or kind
    code = _CODES.get(kind, "")
    # Before it is cut, which may cut a URL.
    words = without_credentials(text if text.startswith(code) else f"{code} {text}")
    return words[:_LONGEST].rstrip(".")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and those that led to it: redis-py has an error of its own for a time that is over."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
