"""Values, names and errors as texts show them, and errors from their parts."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from typing import TypeVar

E = TypeVar("E", bound=Exception)
# In the place of a password.
HIDDEN = "***"
# Of a URL in a text, in which no space is.
_CREDENTIALS = re.compile(r"([\w+.-]+://)\S*@")
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
_MISSING = {"function": "no worker ever registered a {} {}"}


def shortened(value: object, limit: int = 80) -> str:
    """Return a value as errors show it, cut so that they stay readable: its ``repr``, but of times."""
    try:
        text = _time_of(value) or repr(value)
    except Exception:  # noqa: BLE001 - too deep, an int of too many digits, or the user's own __repr__
        text = f"<{type(value).__name__}>"
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _time_of(value: object) -> str | None:
    """Return a moment, date or span as people write it; None of anything else."""
    if isinstance(value, datetime):
        return moment(value) if value.tzinfo is not None else value.isoformat(sep=" ")
    if isinstance(value, timedelta):
        return exactly(value) if value >= timedelta(0) else f"-{exactly(-value)}"
    return value.isoformat() if isinstance(value, date) else None


def moment(at: datetime) -> str:
    """Return a moment to the second, such as ``2026-03-01 09:00:00Z``."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"


def in_units(span: timedelta) -> str:
    """Return a span in its two largest units: ``31 ms``, ``2.4 s``, ``5 min 10 s``, ``2 h``, ``2 d 4 h``."""
    seconds = max(0.0, span.total_seconds())
    if 0 < seconds < 0.9995:
        return "< 1 ms" if seconds < 0.0005 else f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    left, parts = round(seconds), list[str]()
    for size, unit in _UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}")
        elif parts:
            break
    return " ".join(parts[:2])


def exactly(span: timedelta) -> str:
    """Return a span that was set, in all of its units and without loss: ``1 h 30 min 0.5 s``."""
    left, parts = span, list[str]()
    for size, unit in _UNITS[:-1]:
        count, left = divmod(left, timedelta(seconds=size))
        if count:
            parts.append(f"{count} {unit}")
    if left or not parts:
        parts.append(f"{left.total_seconds():.6f}".rstrip("0").rstrip(".") + " s")
    return " ".join(parts)


def meant_by(name: str, known: Iterable[str]) -> str:
    """Return ``": did you mean retries?"`` with that of the ``known`` names which is most like this one.

    It is empty where none is alike. The name itself is never suggested.
    """
    meant = most_like(name, known)
    return "" if meant is None else f": did you mean {meant}?"


def most_like(name: str, known: Iterable[str]) -> str | None:
    """Return that of the other ``known`` names which is most like this one, None where none is alike."""
    plain = {each.casefold(): each for each in known if each != name}
    alike = get_close_matches(name.casefold(), plain)
    # Two letters that are swapped are a slip before one that is missing.
    swapped = [each for each in alike if sorted(each) == sorted(name.casefold())]
    return plain[(swapped or alike)[0]] if alike else None


def cause_of(error: BaseException, limit: int = 200) -> str:
    """Return an error's type and text as part of a sentence: one line, cut so that a log stays readable."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:limit].removesuffix(".")


def without_credentials(text: str) -> str:
    """Return a text, such as what a server says, without the users and passwords of URLs in it."""
    return _CREDENTIALS.sub(rf"\1{HIDDEN}@", text)


def misfits(field: str, value: object, reason: str, others: Iterable[Exception]) -> str:
    """Return the text of an error about a field, and of those about ``others``."""
    return "; ".join([f"{field}: {reason} (got {shortened(value)})", *map(str, others)])


def remade(kind: type[E], args: tuple[object, ...], attributes: dict[str, object]) -> E:
    """Return an error from the parts that a pickle has of it."""
    error = kind.__new__(kind, *args)
    vars(error).update(attributes)
    return error


def missing(kind: str, wanted: object, done: str | None) -> str:
    """Return that nothing has an id or a name, and whether what was ``done`` there was done before."""
    known_by = "there is no {} of {}" if isinstance(wanted, str) else "no {} has the id {}"
    text = _MISSING.get(kind, known_by).format(kind, wanted)
    return text if done is None else f"{text} any more: {done} was done, and it is gone since"
