"""The form of a cron ticker: a new one, and one that is changed."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from uuid import UUID, uuid4

from flask import redirect
from werkzeug.wrappers import Response

from tickerq_celery import Cron
from tickerq_celery.typing import Managers
from tickerq_dashboard.commands.crons import CronEdit, NewCron
from tickerq_dashboard.filters import FormQuery
from tickerq_dashboard.forms import layout
from tickerq_dashboard.forms.cron_fields import PRESETS, CronReading, new_texts
from tickerq_dashboard.forms.cron_parts import MADE_OF, in_step, parts_of
from tickerq_dashboard.forms.cron_review import CronReviewer
from tickerq_dashboard.forms.facts import named_in
from tickerq_dashboard.forms.layout import ORDER_OF_CRON
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
from tickerq_dashboard.forms.writing import texts_of_cron
from tickerq_dashboard.payload_rights import check_payload, may_change_payload
from tickerq_dashboard.reading.named import names_of
from tickerq_dashboard.rendering import url_for
from tickerq_dashboard.texts import zone_names
from tickerq_dashboard.visits import Visit


def new_cron(visit: Visit, query: FormQuery) -> Response:
    """Show the form of a new cron ticker."""
    texts = new_texts(visit.dashboard.tickerq.config.time_zone, query.function)
    return _page(visit, FormState(texts=texts, operation_id=uuid4(), order=ORDER_OF_CRON), None)


def create_cron(visit: Visit, command: SentForm) -> Response:
    """Store a new cron ticker, or show its form again."""
    return _answer(visit, command, None)


def edit_cron(visit: Visit, cron_id: UUID) -> Response:
    """Show the form of a cron ticker, with what is stored."""
    cron = visit.dashboard.tickerq.cron_tickers.get(cron_id)
    texts = _texts(visit, cron)
    state = FormState(
        texts=texts, operation_id=uuid4(), stored=texts, expected=cron.version, order=ORDER_OF_CRON
    )
    return _page(visit, state, cron)


def update_cron(visit: Visit, command: SentForm, cron_id: UUID) -> Response:
    """Change a cron ticker, or show its form again."""
    return _answer(visit, command, visit.dashboard.tickerq.cron_tickers.get(cron_id))


def _answer(visit: Visit, sent: SentForm, cron: Cron | None) -> Response:
    given = in_step(sent.texts)
    found = named_in(visit, given)
    texts = after_step(given, sent.step, found)
    state = FormState(
        texts=texts,
        operation_id=sent.operation_id,
        stored=None if cron is None else _texts(visit, cron),
        expected=sent.expected,
        seen=sent.seen,
        reason=sent.reason,
        order=ORDER_OF_CRON,
        focus=focus_after(texts, sent.step),
    )
    reading = CronReading(state, cron)
    command = reading.command()
    check_payload(visit, command, "cron_tickers.add" if cron is None else "cron_tickers.update")
    errors = reading.errors | unknown_of(visit, state, command, found)
    if not sent.stores or command is None or errors:
        shown = replace(state, errors=errors if sent.checks else {})
        return _page(visit, shown, cron, status=422 if sent.stores else 200)
    outcome = stored(visit, state, _applying(command, cron))
    if isinstance(outcome.thing, Cron):
        return redirect(url_for(".cron", cron_id=outcome.thing.id, did=state.operation_id), 303)
    return _page(visit, renewed(state, outcome), cron, status=outcome.status, theirs=outcome.changed_to)


def _applying(command: NewCron | CronEdit, cron: Cron | None) -> Callable[[Managers], Cron]:
    if isinstance(command, CronEdit) and cron is not None:
        return partial(command.apply, cron_id=cron.id)
    return command.apply  # type: ignore[return-value]  # one without a cron ticker makes a new one


def _texts(visit: Visit, cron: Cron) -> dict[str, str]:
    return texts_of_cron(cron, may_see=may_change_payload(visit))


def _page(
    visit: Visit, state: FormState, cron: Cron | None, *, status: int = 200, theirs: object = None
) -> Response:
    clock = visit.clock()
    if isinstance(theirs, Cron):
        state = rebased(state, _texts(visit, theirs), theirs.version)
    found = named_in(visit, state.texts)
    review = CronReviewer(visit, state, CronReading(state, cron), clock).review(found)
    return visit.page(
        "forms/cron.html",
        clock=clock,
        status=status,
        f=replace(state, errors={**review.errors, **state.errors}),
        cron=cron,
        review=review,
        found=found,
        theirs=theirs,
        before=None if theirs is None or cron is None else last_change(visit, "cron_ticker", cron.id),
        names=names_of(visit.dashboard.reader),
        zone_names=zone_names(),
        presets=PRESETS,
        layout=layout,
        cron_parts=parts_of(state.text("expression")),
        made_of=MADE_OF,
        may_edit_payload=may_change_payload(visit),
    )
