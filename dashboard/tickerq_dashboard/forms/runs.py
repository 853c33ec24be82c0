"""The form of a time ticker: a new one, a copy of a run, and one that waits and is changed."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from uuid import UUID, uuid4

from flask import redirect
from werkzeug.wrappers import Response

from tickerq_celery import Run, TickerStatus, TickerType
from tickerq_celery.typing import Managers
from tickerq_dashboard.commands.time_tickers import NewTimeTicker
from tickerq_dashboard.commands.work import PAYLOAD
from tickerq_dashboard.filters import FormQuery
from tickerq_dashboard.forms import layout
from tickerq_dashboard.forms.facts import Fact, named_in, payload_facts
from tickerq_dashboard.forms.run_fields import AT, KEEP, NOW, Purpose, RunCommand, RunReading, new_texts
from tickerq_dashboard.forms.run_review import run_facts
from tickerq_dashboard.forms.sent import SentForm
from tickerq_dashboard.forms.state import FormState
from tickerq_dashboard.forms.steps import after_step, focus_after
from tickerq_dashboard.forms.storing import (
    last_change,
    rebased,
    renewed,
    stored,
    unknown_of,
)
from tickerq_dashboard.forms.writing import texts_of_run
from tickerq_dashboard.payload_rights import check_payload, may_change_payload
from tickerq_dashboard.reading.named import Named, names_of
from tickerq_dashboard.rendering import url_for
from tickerq_dashboard.show.outcomes import state_words
from tickerq_dashboard.texts import zone_names
from tickerq_dashboard.visits import Visit


def new_run(visit: Visit, query: FormQuery) -> Response:
    """Show the form of a new time ticker."""
    texts = new_texts(visit.clock().name, query.function)
    return _page(visit, FormState(texts=texts, operation_id=uuid4()), Purpose.NEW, None)


def create_run(visit: Visit, command: SentForm) -> Response:
    """Schedule a time ticker, or show its form again."""
    return _answer(visit, command, Purpose.NEW, None)


def clone_run(visit: Visit, run_id: UUID) -> Response:
    """Show the form of a copy of a run, with what that one has."""
    return _opened(visit, Purpose.COPY, visit.dashboard.tickerq.runs.get(run_id))


def create_copy(visit: Visit, command: SentForm, run_id: UUID) -> Response:
    """Schedule a copy of a run, or show its form again."""
    return _answer(visit, command, Purpose.COPY, visit.dashboard.tickerq.runs.get(run_id))


def edit_run(visit: Visit, run_id: UUID) -> Response:
    """Show the form of a time ticker that waits, with what is stored."""
    run = visit.dashboard.tickerq.runs.get(run_id)
    return _opened(visit, Purpose.EDIT, run) if _may_be_edited(run) else _refused(visit, run)


def update_run(visit: Visit, command: SentForm, run_id: UUID) -> Response:
    """Change a time ticker that waits, or show its form again."""
    run = visit.dashboard.tickerq.runs.get(run_id)
    return _answer(visit, command, Purpose.EDIT, run)


def _may_be_edited(run: Run) -> bool:
    return run.type is TickerType.TIME_TICKER and run.status is TickerStatus.IDLE


def _refused(visit: Visit, run: Run) -> Response:
    is_occurrence = run.type is not TickerType.TIME_TICKER
    why = "an occurrence is as its cron ticker says" if is_occurrence else state_words(run, visit.clock())
    return visit.page(
        "forms/refused.html", clock=visit.clock(), status=409, sentence=f"Not changed: {why}.", run=run
    )


def _opened(visit: Visit, purpose: Purpose, run: Run) -> Response:
    base = _texts(visit, run, purpose)
    texts = base | ({"with_children": "1"} if purpose is Purpose.COPY and run.has_children else {})
    state = FormState(texts=texts, operation_id=uuid4(), stored=base, expected=run.version)
    return _page(visit, state, purpose, run)


def _texts(visit: Visit, run: Run, purpose: Purpose) -> dict[str, str]:
    clock = visit.clock()
    texts = texts_of_run(run, clock.name, may_see=may_change_payload(visit))
    if purpose is Purpose.EDIT:
        return texts
    is_to_come = run.execution_time is not None and run.execution_time > clock.now
    return texts | {"when": AT if is_to_come else NOW}


def _answer(visit: Visit, sent: SentForm, purpose: Purpose, run: Run | None) -> Response:
    found = named_in(visit, sent.texts)
    texts = after_step(sent.texts, sent.step, found)
    state = FormState(
        texts=texts,
        operation_id=sent.operation_id,
        stored=None if run is None else _texts(visit, run, purpose),
        expected=sent.expected,
        seen=sent.seen,
        reason=sent.reason,
        focus=focus_after(texts, sent.step),
    )
    reading = RunReading(state, purpose, run)
    command = reading.command()
    if any(name.rpartition(".")[2] in PAYLOAD for name in state.texts):
        check_payload(visit, command, purpose.value)
    errors = reading.errors | unknown_of(visit, state, command, found)
    if not sent.stores or command is None or errors:
        shown = replace(state, errors=errors if sent.checks else {})
        return _page(visit, shown, purpose, run, status=422 if sent.stores else 200)
    outcome = stored(visit, state, _applying(command, run))
    if isinstance(outcome.thing, Run):
        return redirect(url_for(".run", run_id=outcome.thing.id, did=state.operation_id), 303)
    shown = renewed(state, outcome)
    return _page(visit, shown, purpose, run, status=outcome.status, theirs=outcome.changed_to)


def _applying(command: RunCommand, run: Run | None) -> Callable[[Managers], Run]:
    if isinstance(command, NewTimeTicker) or run is None:
        return command.apply  # type: ignore[return-value]  # one without a run makes a new one
    return partial(command.apply, run_id=run.id)


def _payload_facts(visit: Visit, state: FormState, reading: RunReading, found: Named) -> Iterable[Fact]:
    if "request" in reading.errors:
        return ()
    return payload_facts(visit, found, reading.values, is_new=state.changed is None)


def _page(
    visit: Visit,
    state: FormState,
    purpose: Purpose,
    run: Run | None,
    *,
    status: int = 200,
    theirs: object = None,
) -> Response:
    clock = visit.clock()
    if isinstance(theirs, Run):
        state = rebased(state, _texts(visit, theirs, purpose), theirs.version)
    found, reading = named_in(visit, state.texts), RunReading(state, purpose, run)
    return visit.page(
        "forms/run.html",
        clock=clock,
        status=status,
        f=state,
        run=run,
        purpose=purpose.name.lower(),
        facts=[*run_facts(state, reading, found, clock), *_payload_facts(visit, state, reading, found)],
        is_repeated=reading.is_repeated or bool(state.text("pass")),
        found=found,
        theirs=theirs,
        before=None if theirs is None or run is None else last_change(visit, "run", run.id),
        keeps=KEEP,
        layout=layout,
        names=names_of(visit.dashboard.reader),
        zone_names=zone_names(),
        may_edit_payload=may_change_payload(visit),
    )
