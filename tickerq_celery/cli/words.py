"""What options take: words of an enum, names of functions, moments, days, durations."""

import re
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from typing import Generic, TypeVar

import click
from click.shell_completion import CompletionItem

from tickerq_celery import validation
from tickerq_celery.cli.application import completing
from tickerq_celery.clock import SystemClock
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.wording import meant_by

E = TypeVar("E", bound=Enum)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_SPAN = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")
_MOMENT = "pass a moment such as 2026-11-27T09:00Z (UTC where it has no zone), or"


class Word(click.ParamType, Generic[E]):  # type: ignore[type-arg] # generic since click 8.4
    """A member of an enum, by its word in any case."""

    name = "word"

    def __init__(self, among: type[E]) -> None:
        self._among = among
        self.words = [each.name.lower() for each in among]

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> E:
        try:
            return validation.member("", value, self._among)
        except TickerValidationError:
            return self.fail(
                f"{value!r} is none of {', '.join(self.words)}{meant_by(str(value), self.words)}", param, ctx
            )

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        return [CompletionItem(word) for word in self.words if word.startswith(incomplete.lower())]

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        return f"[{'|'.join(self.words)}]"


class FunctionParam(click.ParamType):  # type: ignore[type-arg]
    """The name of a ticker function, or of a Celery task; a shell completes those of the application."""

    name = "name"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        tickerq = completing(ctx)
        if tickerq is None:
            return []
        names = [function.name for function in tickerq.registry]
        return [CompletionItem(name) for name in sorted(names) if name.startswith(incomplete)]


class Span(click.ParamType):  # type: ignore[type-arg]
    """A duration: ``90s``, ``15m``, ``2h``, ``1d``, or a number of seconds."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        if isinstance(value, timedelta):
            return value
        found = span_in(str(value))
        if found is None:
            return self.fail(f"{value!r} is no duration: pass 90s, 15m, 2h, 1d, or 1h30m", param, ctx)
        return found


class Moment(click.ParamType):  # type: ignore[type-arg]
    """A moment, or how long ago it was; ``+2h`` is two hours from now."""

    name = "moment"
    span_means = "2h for two hours ago"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        text = str(value).strip()
        found = span_in(text.removeprefix("+"))
        try:
            if found is not None:
                return SystemClock().now() + (found if text.startswith("+") else -found)
            parsed = datetime.fromisoformat(text)
        except (ValueError, OverflowError):
            return self.fail(f"{value!r} is no moment: {_MOMENT} {self.span_means}", param, ctx)
        return parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=UTC)


class Coming(Moment):
    """A moment to come: ``+2h``, or a date and time; a bare ``2h``, which is past elsewhere, is refused."""

    span_means = "+2h for two hours from now"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, str) and span_in(value.strip()) is not None:
            return self.fail(f"{value!r} is a duration: pass +{value.strip()}, or a moment", param, ctx)
        return super().convert(value, param, ctx)


class Day(click.ParamType):  # type: ignore[type-arg]
    """A date."""

    name = "date"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> date:
        try:
            return value if isinstance(value, date) else date.fromisoformat(str(value))
        except ValueError:
            return self.fail(f"{value!r} is no date: pass one such as 2026-12-24", param, ctx)


def span_in(text: str) -> timedelta | None:
    """Return the duration that a text such as ``1h30m``, or ``90`` for seconds, stands for; else None."""
    if text.isascii() and text.isdigit() and len(text) < 10:
        return timedelta(seconds=int(text))
    parts = _SPAN.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    try:
        return sum((timedelta(**{_UNITS[unit]: float(number)}) for number, unit in parts), timedelta())
    except OverflowError:
        return None
