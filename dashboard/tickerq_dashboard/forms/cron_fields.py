"""The fields of the form of a cron ticker: what a new one begins with, and the command that they mean."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from pydantic import ValidationError

from tickerq_celery import Cron, CronTicker
from tickerq_dashboard.commands.crons import CronEdit, NewCron
from tickerq_dashboard.forms import field_errors
from tickerq_dashboard.forms.layout import OWN_OF_CRON
from tickerq_dashboard.forms.payloads import restored_payloads
from tickerq_dashboard.forms.reading import FormReader
from tickerq_dashboard.forms.state import FormState
from tickerq_dashboard.ticker_fields import FIELDS, FUNCTION

EVERY = "every"
PRESETS = (
    ("Every 5 min", "*/5 * * * *"),
    ("Hourly", "0 * * * *"),
    ("Daily", "0 9 * * *"),
    ("Weekdays", "0 9 * * 1-5"),
    ("Weekly", "0 9 * * 1"),
    ("Monthly", "0 9 1 * *"),
)


def new_texts(time_zone: str, function: str) -> dict[str, str]:
    """Return what the form of a new cron ticker holds at first."""
    own = {*OWN_OF_CRON, "is_enabled"}
    return {
        **{
            each.name: FIELDS[each.name].written(each.default)
            for each in fields(CronTicker)
            if each.name in own
        },
        "kind": FUNCTION,
        "function": function,
        "schedule": "cron",
        "expression": "0 9 * * *",
        "time_zone": time_zone,
    }


class CronReading:
    """A form's texts, read: the command that they mean, or what is wrong with them."""

    def __init__(self, state: FormState, cron: Cron | None) -> None:
        self.cron = cron
        self._state = state
        self.changed = state.changed
        self._reader = FormReader(state.texts, self.changed)
        self.values = self._values()
        self.errors: dict[str, str] = self._reader.errors

    def command(self) -> NewCron | CronEdit | None:
        """Return what is to be done; None where something is wrong, which ``errors`` has by then."""
        state, is_new = self._state, self.cron is None
        own: Mapping[str, Any] = {} if is_new else {"expected": state.expected, "reason": state.reason}
        model = NewCron if is_new else CronEdit
        try:
            command = model.model_validate({"operation_id": state.operation_id, **own, **self.values})
        except ValidationError as error:
            self.errors = {**field_errors.of_model(error), **self.errors}
            return None
        return None if self.errors else command

    def _values(self) -> dict[str, Any]:
        reader = self._reader
        found = reader.work() | reader.fields(OWN_OF_CRON) | self._schedule() | self._bounds()
        if self.changed is None:
            found |= reader.fields(("is_enabled",))
        if self.changed is None or any(name.startswith("children.") for name in self.changed):
            found["children"] = reader.chain(self._state.chain)
        return restored_payloads(found, self.cron, reader)

    def _schedule(self) -> dict[str, Any]:
        if self.changed is not None and not self.changed & {"schedule", "expression", EVERY}:
            return {}
        return self._reader.needed(EVERY if self._reader.text("schedule") == EVERY else "expression")

    def _bounds(self) -> dict[str, Any]:
        reader = self._reader
        found: dict[str, Any] = {}
        for name in ("start_at", "end_at"):
            is_moved = self.changed is not None and "time_zone" in self.changed
            if not reader.text(name):
                found |= {name: None} if reader.is_asked(name) else {}
            elif reader.is_asked(name) or is_moved:
                found |= reader.moment(name, reader.text("time_zone"), name)
        return found
