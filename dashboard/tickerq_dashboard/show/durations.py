"""Spans of time as people read them."""

from datetime import timedelta

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
_MINUTE = timedelta(minutes=1)
THIN = "\N{NARROW NO-BREAK SPACE}"


def duration(span: timedelta | None) -> str:
    """Return a span in its two largest units: 88 ms, 2.4 s, 5 min 10 s, 2 h 48 min, 3 d; nothing for None.

    It is as the core writes it in sentences, but for the spaces.
    """
    if span is None:
        return ""
    seconds = max(0.0, span.total_seconds())
    if 0 < seconds < 0.9995:
        return f"<{THIN}1{THIN}ms" if seconds < 0.0005 else f"{seconds * 1000:.0f}{THIN}ms"
    if seconds < 59.95:
        return f"{seconds:.1f}".removesuffix(".0") + f"{THIN}s"
    return _in_units(round(seconds))


def age(span: timedelta, *, units: int = 2) -> str:
    """Return how old something is: 12 s, and from two minutes on without the seconds: 9 min, 2 h 26 min.

    In one of its ``units`` it is cut: 2 h.
    """
    whole = timedelta(seconds=max(0, int(span.total_seconds())))
    said = duration(whole if whole < 2 * _MINUTE else whole // _MINUTE * _MINUTE)
    return " ".join(said.split(" ")[:units])


def exact(span: timedelta) -> str:
    """Return a span as one types it, in all of its units and without loss: 1 h 30 min 0.5 s.

    What was set is shown so, as the core does in its settings and refusals.
    """
    left, parts = span // timedelta(microseconds=1), []
    for size, unit in _UNITS[:3]:
        count, left = divmod(left, size * 1_000_000)
        if count:
            parts.append(f"{count} {unit}")
    if left or not parts:
        parts.append(f"{left / 1_000_000:.6f}".rstrip("0").rstrip(".") + " s")
    return " ".join(parts)


def unmeasured_words(ends: int, measured: int, window: str) -> str:
    """Return of how many ends a window's durations say nothing, beside those ``measured``, and why."""
    if ends <= 0:
        return ""
    which = f"{ends:,}{' more' if measured else ''} {'end' if ends == 1 else 'ends'}"
    when = "" if measured else f" in these {window}"
    return (
        f"{which}{when} without a duration: cancelled before the start, or its process was killed, as by "
        "Terminate, by a hard timeout or in a crash."
    )


def _in_units(left: int) -> str:
    parts: list[str] = []
    for size, unit in _UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{THIN}{unit}")
        elif parts:
            break
    return " ".join(parts[:2])
