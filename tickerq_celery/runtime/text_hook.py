"""The setting ``redact_text``: what it stands for, tried once before the process uses it."""

import inspect
from collections.abc import Callable

from tickerq_celery.errors import ConfigError
from tickerq_celery.payload.text_redaction import TextRedaction, kept_as_it_is
from tickerq_celery.runtime.config import PREFIX
from tickerq_celery.wording import cause_of

_SETTING = f"{PREFIX}redact_text"


def text_redaction(hook: object, *, find: Callable[[str], object]) -> Callable[[str], str]:
    """Return what redacts texts: by a function, by one that ``find`` finds by its path, or not at all.

    Raises:
        ConfigError: It cannot be imported, or does not make a text of an empty one.
    """
    if hook is None:
        return kept_as_it_is
    found = _found(hook, find) if isinstance(hook, str) else hook
    _try(found)
    return TextRedaction(found)  # type: ignore[arg-type]  # it was tried


def _found(path: str, find: Callable[[str], object]) -> object:
    try:
        return find(path)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(_SETTING, f"cannot import {path!r}: {error}") from error


def _try(hook: object) -> None:
    try:
        answer: object = hook("")  # type: ignore[operator]  # no function raises what the error says
    except Exception as error:
        # The user's code, whatever it raises.
        raise ConfigError(_SETTING, f"it must take a text, and raised {cause_of(error)}") from error
    if isinstance(answer, str):
        return
    if inspect.iscoroutine(answer):
        answer.close()
    raise ConfigError(_SETTING, f"it must return a text, and returned {type(answer).__name__}")
