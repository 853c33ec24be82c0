"""Texts that functions leave, as the setting ``redact_text`` lets them be kept."""

import logging
from collections.abc import Callable
from contextvars import ContextVar

logger = logging.getLogger(__name__)
REDACTION_FAILED = "not kept: redact_text failed on this text"
# A context variable, since threads and coroutines redact at the same time.
_IS_REDACTING: ContextVar[bool] = ContextVar("tickerq_is_redacting", default=False)


def is_redacting() -> bool:
    """Return True within a call of the hook: what it logs by itself may be what it is to hide."""
    return _IS_REDACTING.get()


def kept_as_it_is(text: str) -> str:
    """Return the text: where there is no hook."""
    return text


class TextRedaction:
    """Calls the user's hook; a text on which it fails is replaced by a sentence that says so, and lost.

    The first failure is logged, without what the hook raised: that may hold the text.
    """

    def __init__(self, hook: Callable[[str], str]) -> None:
        self._hook = hook
        self._has_failed = False

    def __call__(self, text: str) -> str:
        """Return what is kept of a text."""
        if is_redacting():
            return REDACTION_FAILED
        token = _IS_REDACTING.set(True)
        try:
            redacted: object = self._hook(text)
        except Exception as error:  # noqa: BLE001 - the user's code: the run that it is about must be recorded
            return self._failed(f"raised {type(error).__name__}")
        finally:
            _IS_REDACTING.reset(token)
        return redacted if isinstance(redacted, str) else self._failed(f"returned {type(redacted).__name__}")

    def _failed(self, how: str) -> str:
        if not self._has_failed:
            self._has_failed = True
            logger.error("redact_text %s: texts on which it fails are not kept", how)
        return REDACTION_FAILED
