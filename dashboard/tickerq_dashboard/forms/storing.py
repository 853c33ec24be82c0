"""Store what a form means, or return why it was not stored."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from tickerq_celery import Cron, Run, TickerStatus
from tickerq_celery.errors import (
    DuplicateTickerError,
    OperationReusedError,
    TickerBusyError,
    TickerChangedError,
    TickerError,
    TickerStateError,
    TickerValidationError,
)
from tickerq_celery.typing import Managers
from tickerq_celery.views import AuditEntry
from tickerq_dashboard.access.roles import Permission
from tickerq_dashboard.commands.work import Work
from tickerq_dashboard.forms import field_errors
from tickerq_dashboard.forms.field_errors import FORM
from tickerq_dashboard.forms.seen import merged
from tickerq_dashboard.forms.state import FormState
from tickerq_dashboard.reading.named import Named, unknown_in
from tickerq_dashboard.show.outcomes import state_words
from tickerq_dashboard.visits import Visit

# How far apart an object's last change and its entry in the audit may be: a statement, not an act.
_SAME_CHANGE = timedelta(seconds=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What came of a form: what is stored, or with which errors and HTTP status the form is shown again.

    ``changed_to`` is what another one has made of the object meanwhile.
    """

    thing: Cron | Run | None = None
    errors: dict[str, str] | None = None
    status: int = 422
    changed_to: object = None


def unknown_of(visit: Visit, state: FormState, command: Work | None, found: Named) -> dict[str, str]:
    """Return the errors of functions and tasks that nothing knows; without a command, of the first alone."""
    if command is not None:
        return dict(unknown_in(visit.dashboard.reader, command))
    is_new = state.stored is None or state.stored.get("function") != found.name
    return {"function": found.problem} if found.name and found.problem and is_new else {}


def stored(visit: Visit, state: FormState, apply: Callable[[Managers], Any]) -> Stored:
    """Apply a command in the name of the visitor, once for the form's id."""
    managers = visit.dashboard.tickerq.acting_as(visit.actor(str(state.operation_id)))
    try:
        return Stored(thing=apply(managers), status=303)
    except TickerError as error:
        found = _refused(error, visit)
        if found is None:
            raise
        return found


def _refused(error: TickerError, visit: Visit) -> Stored | None:
    match error:
        case TickerValidationError():
            return Stored(errors=field_errors.of_core(error))
        case DuplicateTickerError():
            said = "A run with this key has not ended. Wait for it, or choose what happens then."
            return Stored(errors={"unique_key": said}, status=409)
        case OperationReusedError():
            said = "This form has been sent before, with other values. Send it again if you mean these, too."
            return Stored(errors={FORM: said}, status=409)
        case TickerBusyError():
            return Stored(errors={FORM: "Another process has it locked. Try again in a moment."}, status=409)
        case TickerStateError():
            is_known = isinstance(error.current, Run | Cron)
            now = state_words(error.current, visit.clock()) if is_known else f"it is {error.status}"
            return Stored(errors={FORM: f"Not saved: {now}."}, status=409)
        case TickerChangedError():
            return Stored(
                errors={FORM: _changed_words(visit, error.current)}, status=409, changed_to=error.current
            )
    return None


def _changed_words(visit: Visit, current: object) -> str:
    """Return who has changed an object since its form was opened, and what saving again does."""
    end = (
        "after you opened this form. Your changes stand below. Saving again overwrites those fields; what "
        "else was changed stays."
    )
    clock = visit.clock()
    if isinstance(current, Run) and current.status is TickerStatus.IDLE:
        noun, kind = "run", "run"
    elif isinstance(current, Cron):
        noun, kind = "cron ticker", "cron_ticker"
    else:
        # It has begun: that nobody edited.
        return f"Not saved: it has changed since you opened this form, and {state_words(current, clock)}."
    at, entry = clock.single(current.updated_at), last_change(visit, kind, current.id)
    # What was done last is that change, unless the change has no entry: the store's clock wrote both.
    if entry is None or abs(entry.at - current.updated_at) > _SAME_CHANGE:
        return f"Not saved: this {noun} was changed at {at}, {end}"
    return f"Not saved: {entry.said_by or entry.actor} changed this {noun} at {at}, {end}"


def last_change(visit: Visit, kind: str, object_id: UUID) -> AuditEntry | None:
    """Return what was last done to an object, for those who may see the audit."""
    if not visit.may(Permission.AUDIT_VIEW):
        return None
    audit = visit.dashboard.tickerq.audit
    return next(iter(audit.find(object_kind=kind, object_id=object_id, outcome="done", limit=1)), None)


def rebased(state: FormState, theirs: Mapping[str, str], version: str) -> FormState:
    """Return the form on what another one has stored meanwhile: with the changes of its own sender only.

    What is sent next is compared with that, which its sender has seen by then.
    """
    texts = merged(theirs, state.texts, state.changed or ())
    return replace(state, texts=texts, stored=theirs, seen=None, expected=version)


def renewed(state: FormState, outcome: Stored) -> FormState:
    """Return the form to be shown again: with the errors, and an id of its own where the last has served."""
    return replace(state, operation_id=uuid4(), errors=outcome.errors or {})
