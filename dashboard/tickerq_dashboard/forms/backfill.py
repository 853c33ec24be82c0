"""Backfill a cron ticker: the instants of a span by its own clocks, said before they are stored."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from flask import redirect
from pydantic import ValidationError
from werkzeug.wrappers import Response

from tickerq_celery import Cron
from tickerq_celery.errors import TickerError, TickerValidationError
from tickerq_celery.limits import MOST_INSTANTS
from tickerq_dashboard.commands.crons import Backfill
from tickerq_dashboard.forms import field_errors
from tickerq_dashboard.forms.field_errors import FORM
from tickerq_dashboard.forms.sent import SentForm
from tickerq_dashboard.rendering import url_for
from tickerq_dashboard.show.instants import Instant, instants_of
from tickerq_dashboard.show.moments import Clock, zone_named
from tickerq_dashboard.show.outcomes import plain_refusal_of
from tickerq_dashboard.texts import Repeated, Unreadable, moment
from tickerq_dashboard.visits import Visit

FIRST_SHOWN, LAST_SHOWN = 5, 3
# The fields beside which an error can stand.
_FIELDS = {"start", "end", "per_minute"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """What a backfill would make: of how many instants, the first and the last of them.

    ``missing`` is how many of them lack their occurrence, which is made, and ``takes`` how long that goes on.
    """

    count: int
    first: list[Instant]
    last: list[Instant]
    missing: int
    takes: timedelta
    has_max_runs: bool

    @property
    def there(self) -> int:
        """How many have their occurrence already."""
        return self.count - self.missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """The form's texts as a command, or what is wrong; ``repeated`` are those that the clocks show twice."""

    command: Backfill | None = None
    errors: dict[str, str] = field(default_factory=dict)
    repeated: frozenset[str] = frozenset()


def backfill_cron(visit: Visit, cron_id: UUID) -> Response:
    """Show the form, which ends now."""
    cron = visit.dashboard.tickerq.cron_tickers.get(cron_id)
    zone, _ = zone_named(cron.time_zone)
    until = visit.clock().now.astimezone(zone)
    sent = SentForm(texts={"end": f"{until:%Y-%m-%dT%H:%M}", "per_minute": "60"}, operation_id=cron_id)
    return _shown(visit, cron, sent, Read())


def create_backfill(visit: Visit, command: SentForm, cron_id: UUID) -> Response:
    """Show what the span has, or store its occurrences and lead to the cron ticker."""
    crons = visit.dashboard.tickerq.cron_tickers
    cron = crons.get(cron_id)
    read = _read(command, cron)
    if read.command is None or not command.stores:
        return _shown(visit, cron, command, read)
    did = str(command.operation_id)
    try:
        read.command.apply(visit.dashboard.tickerq.acting_as(visit.actor(did)), cron_id)
    except TickerValidationError as error:
        wrong = Read(command=read.command, errors=_errors_of(error))
        return _shown(visit, crons.get(cron_id), command, wrong)
    except TickerError as error:
        refusal = plain_refusal_of(error, "Not backfilled", "cron ticker", visit.clock())
        if refusal is None:
            raise
        wrong = Read(command=read.command, errors={FORM: refusal.sentence})
        return _shown(visit, crons.get(cron_id), command, wrong, status=refusal.status)
    return redirect(url_for(".cron", cron_id=cron_id, did=did), 303)


def _errors_of(error: TickerValidationError) -> dict[str, str]:
    said = field_errors.of_core(error)
    return {name if name in _FIELDS else FORM: sentence for name, sentence in said.items()}


def _read(sent: SentForm, cron: Cron) -> Read:
    errors: dict[str, str] = {}
    repeated: set[str] = set()
    moments: dict[str, datetime] = {}
    for name in ("start", "end"):
        try:
            which = sent.texts.get(f"{name}_which", "")
            moments[name] = moment(sent.texts.get(name, "").strip(), cron.time_zone, which)
        except Unreadable as error:
            errors[name] = str(error)
            repeated |= {name} if isinstance(error, Repeated) else set()
    command = None
    try:
        command = Backfill.model_validate(
            {
                "start": cron.created_at,
                "end": cron.created_at,
                **moments,
                "per_minute": sent.texts.get("per_minute", "").strip(),
                "expected": sent.expected,
                "reason": sent.reason,
            }
        )
    except ValidationError as error:
        errors |= field_errors.of_model(error)
    if errors or command is None:
        return Read(errors=errors, repeated=frozenset(repeated))
    if command.start >= command.end:
        return Read(errors={"start": "This must be before the end."})
    return Read(command=command)


def _shown(visit: Visit, cron: Cron, sent: SentForm, read: Read, status: int = 422) -> Response:
    clock = visit.clock()
    errors, span = read.errors, None
    if read.command is not None:
        try:
            span = _span(visit, cron, read.command, clock)
        except TickerValidationError as error:
            errors = {**_errors_of(error), **errors}
    return visit.page(
        "forms/backfill.html",
        clock=clock,
        status=status if errors and sent.stores else 200,
        cron=cron,
        texts=sent.texts,
        reason=sent.reason or "",
        errors=errors,
        repeated=read.repeated | {name for name in ("start", "end") if sent.texts.get(f"{name}_which")},
        span=span,
        zone=cron.time_zone,
        bound=MOST_INSTANTS,
    )


def _span(visit: Visit, cron: Cron, command: Backfill, clock: Clock) -> Span:
    """Return what a span has.

    Raises:
        TickerValidationError: A backfill would refuse it, or this machine cannot read the schedule.
    """
    preview = visit.dashboard.tickerq.cron_tickers.backfill_preview
    seen = preview(cron.id, command.start, command.end)

    def shown(instants: tuple[datetime, ...]) -> list[Instant]:
        return instants_of(None, instants, cron.time_zone, clock)

    return Span(
        count=len(seen.instants),
        first=shown(seen.instants[:FIRST_SHOWN]),
        last=shown(seen.instants[max(FIRST_SHOWN, len(seen.instants) - LAST_SHOWN) :]),
        missing=len(seen.missing),
        takes=timedelta(minutes=len(seen.missing) / command.per_minute),
        has_max_runs=cron.max_runs is not None,
    )
