"""What a cron ticker of a form will do: its schedule in words, its next instants, and what to know before."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tickerq_celery import Cron
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.limits import LONGEST_EXPRESSION
from tickerq_celery.views import Explanation
from tickerq_dashboard.forms import field_errors
from tickerq_dashboard.forms.cron_fields import EVERY, CronReading
from tickerq_dashboard.forms.facts import Fact, facts_of, payload_facts
from tickerq_dashboard.forms.state import FormState
from tickerq_dashboard.reading.named import Named
from tickerq_dashboard.show.clock_changes import LOOKED_AHEAD, clock_changes
from tickerq_dashboard.show.durations import exact
from tickerq_dashboard.show.instants import Instant, instants_of
from tickerq_dashboard.show.moments import Clock
from tickerq_dashboard.show.words import plural
from tickerq_dashboard.texts import Unreadable, span, zone
from tickerq_dashboard.visits import Visit

_LONGEST = timedelta(days=3650)
SHOWN, LOOKED_THROUGH, MOST_OTHERS = 5, 50, 20
# In seconds: a form is reviewed at each pause of one who types.
WHILE_TYPING, RARELY_NEW = 3.0, 60.0
_SECOND, _SOON = timedelta(seconds=1), timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class CronReview:
    """What will happen; without ``words`` the schedule cannot be read yet."""

    words: str = ""
    zone: str = ""
    instants: list[Instant] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    errors: Mapping[str, str] = field(default_factory=dict)


class CronReviewer:
    """Looks at one form with the code that the scheduler uses; it stores nothing."""

    def __init__(self, visit: Visit, state: FormState, reading: CronReading, clock: Clock) -> None:
        self._visit, self._state, self._reading, self._clock = visit, state, reading, clock
        self._crons = visit.dashboard.tickerq.cron_tickers
        self._zone = state.text("time_zone").strip() or visit.dashboard.tickerq.config.time_zone

    def review(self, found: Named) -> CronReview:
        """Return what the form's cron ticker will do, and the errors of its schedule."""
        try:
            zone(self._zone)
            if self._state.text("schedule") == EVERY:
                words, coming, explanation = self._interval()
            else:
                words, coming, explanation = self._expression()
        except Unreadable as error:
            return CronReview(errors={"time_zone": str(error)}, facts=list(facts_of(found)))
        except TickerValidationError as error:
            return CronReview(errors=field_errors.of_core(error), facts=list(facts_of(found)))
        if not words:
            return CronReview(facts=list(facts_of(found)))
        instants = instants_of(explanation, tuple(coming), self._zone, self._clock)
        facts = [
            *self._facts(coming, explanation),
            *self._others(found),
            *facts_of(found),
            *self._payload(found),
        ]
        return CronReview(words=words, zone=self._zone, instants=instants, facts=facts)

    def _payload(self, found: Named) -> Iterator[Fact]:
        if "request" not in self._reading.errors:
            is_new = self._state.changed is None
            yield from payload_facts(self._visit, found, self._reading.values, is_new=is_new)

    def _expression(self) -> tuple[str, list[datetime], Explanation | None]:
        expression = self._state.text("expression").strip()
        if not 0 < len(expression) <= LONGEST_EXPRESSION:
            return "", [], None
        # Only excluded dates leave out any of the first.
        count = LOOKED_THROUGH if self._state.text("exclude").strip() else SHOWN
        found = self._explained(expression, self._start, count)
        return found.words, self._within([each.instant for each in found.upcoming]), found

    def _interval(self) -> tuple[str, list[datetime], Explanation | None]:
        try:
            every = span(self._state.text(EVERY))
        except Unreadable:
            return "", [], None
        if not _SECOND <= every <= _LONGEST:
            return "", [], None
        now = self._clock.now
        begin = self._bound("start_at") or now
        first = begin if begin > now else begin + ((now - begin) // every + 1) * every
        coming = self._within([first + at * every for at in range(LOOKED_THROUGH)])
        return f"Every {exact(every)}", coming, None

    def _explained(self, expression: str, after: datetime, count: int) -> Explanation:
        day_or = bool(self._state.text("day_or"))
        return self._crons.explain(expression, time_zone=self._zone, after=after, count=count, day_or=day_or)

    @property
    def _start(self) -> datetime:
        begin = self._bound("start_at")
        return self._clock.now if begin is None else max(self._clock.now, begin - _SECOND)

    def _bound(self, name: str) -> datetime | None:
        found: Any = self._reading.values.get(name)
        if name not in self._reading.values and self._reading.cron is not None:
            return getattr(self._reading.cron, name, None)
        return found if isinstance(found, datetime) else None

    def _within(self, instants: list[datetime]) -> list[datetime]:
        """Return those that neither the last moment nor an excluded date leaves out."""
        end, place = self._bound("end_at"), zone(self._zone)
        excluded = {each.strip() for each in self._state.text("exclude").split(",")}
        kept = [
            each
            for each in instants
            if (end is None or each <= end) and f"{each.astimezone(place):%Y-%m-%d}" not in excluded
        ]
        most = self._state.text("max_runs").strip()
        return kept[: int(most) if most.isdecimal() and int(most[:9]) < SHOWN else SHOWN]

    def _facts(self, coming: list[datetime], explanation: Explanation | None) -> Iterator[Fact]:
        clock, cron = self._clock, self._reading.cron
        for warning in () if explanation is None else explanation.warnings:
            yield Fact(css="warn", words=f"{warning[0].upper()}{warning[1:]}.")
        if not coming:
            yield Fact(css="warn", words="It never fires within these bounds.")
        elif coming[0] - clock.now < _SOON:
            yield Fact(css="info", words=f"It fires for the first time {clock.distance(coming[0])}.")
        if explanation is not None:
            yield self._clock_fact(explanation.expression)
        if cron is not None:
            yield from self._of_change(cron, coming)
        elif not self._state.text("is_enabled"):
            yield Fact(css="info", words="It is stored paused: it does not fire until it is resumed.")

    def _clock_fact(self, expression: str) -> Fact:
        notes: dict[str, None] = {}
        changes = self._visit.dashboard.reader.cached(
            ("clock changes", self._zone),
            lambda: list(clock_changes(zone(self._zone), self._clock.now)),
            fresh=RARELY_NEW,
        )
        for at, moved in changes:
            for after in (at - abs(moved) - _SECOND, at - _SECOND):
                for each in self._explained(expression, after, 1).upcoming:
                    if each.note is not None and abs(each.instant - at) <= timedelta(days=1):
                        notes[each.note] = None
        if not changes:
            return Fact(css="ok", words=f"The clocks of {self._zone} do not change.")
        if not notes:
            return Fact(
                css="ok", words=f"No change of the clocks touches it in the next {LOOKED_AHEAD} days."
            )
        said = ". ".join(f"{note[0].upper()}{note[1:]}" for note in notes)
        count = plural(len(notes), "change of the clocks touches", "changes of the clocks touch")
        return Fact(css="info", words=f"{count} it in the next {LOOKED_AHEAD} days. {said}.")

    def _of_change(self, cron: Cron, coming: list[datetime]) -> Iterator[Fact]:
        changed, planned, place = self._reading.changed or set(), cron.next_run_at, zone(self._zone)
        if changed & {"expression", EVERY, "schedule", "time_zone", "day_or"}:
            if planned is not None and planned not in coming and coming:
                gone, first = (
                    f"{each.astimezone(place):%a %Y-%m-%d %H:%M %Z}" for each in (planned, coming[0])
                )
                words = f"The run planned for {gone} goes away. The first is then {first}."
                yield Fact(css="warn", words=words)
            if cron.is_seeded:
                words = (
                    "Code defines this cron ticker: your schedule stands until it is reverted to its code."
                )
                yield Fact(css="info", words=words)
        if not cron.is_enabled:
            yield Fact(css="info", words="It is paused: it does not fire until it is resumed.")
        if changed:
            yield Fact(
                css="info",
                words="Occurrences that have not begun are changed as well; those that run are not.",
            )

    def _others(self, found: Named) -> Iterator[Fact]:
        text, own = self._state.text, self._reading.cron
        if text("schedule") == EVERY or not found.name:
            return
        same = self._visit.dashboard.reader.cached_or_none(
            ("crons of", found.name),
            lambda: self._crons.by_next_run(function=found.name, limit=MOST_OTHERS),
            fresh=WHILE_TYPING,
        )
        wanted = " ".join(text("expression").split())
        for each in same or ():
            if (
                each.expression == wanted
                and each.time_zone == self._zone
                and (own is None or each.id != own.id)
            ):
                yield Fact(
                    css="warn", words=f"Another cron ticker of {found.name} has the same schedule: {each.id}."
                )
                return
