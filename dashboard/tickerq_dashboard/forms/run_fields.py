"""The fields of the form of a time ticker: a new one, a copy of a run, and one that waits and is changed."""

from collections.abc import Mapping
from enum import Enum
from typing import Any

from pydantic import ValidationError

from tickerq_celery import Run, TickerType
from tickerq_dashboard.commands.time_tickers import NewTimeTicker, TimeTickerCopy, TimeTickerEdit
from tickerq_dashboard.commands.work import PAYLOAD
from tickerq_dashboard.forms import field_errors
from tickerq_dashboard.forms.payloads import restored_payloads
from tickerq_dashboard.forms.reading import FormReader
from tickerq_dashboard.forms.state import FormState
from tickerq_dashboard.texts import Repeated, UnknownZone, Unreadable, moment

KEEP, NOW, IN, AT = "keep", "now", "in", "at"
RunCommand = NewTimeTicker | TimeTickerCopy | TimeTickerEdit


class Purpose(Enum):
    """What a form of a time ticker is for, with the verb that does it."""

    NEW = "time_tickers.add"
    COPY = "time_tickers.clone"
    EDIT = "time_tickers.update"


def new_texts(zone: str, function: str) -> dict[str, str]:
    """Return what the form of a new time ticker holds at first."""
    return {"kind": "function", "function": function, "when": NOW, "zone": zone, "on_conflict": "raise"}


class RunReading:
    """A form's texts, read: the command that they mean, or what is wrong with them.

    An occurrence is copied into a new time ticker by all of its fields, since there is none to be cloned.
    """

    def __init__(self, state: FormState, purpose: Purpose, run: Run | None) -> None:
        self.purpose, self.run = purpose, run
        self._state = state
        self.is_anew = purpose is Purpose.NEW or (
            purpose is Purpose.COPY and run is not None and run.type is not TickerType.TIME_TICKER
        )
        self.changed = None if self.is_anew else state.changed
        self._reader = FormReader(state.texts, self.changed)
        self.is_repeated = False
        self.values = self._values()
        self.errors: dict[str, str] = self._reader.errors

    def command(self) -> RunCommand | None:
        """Return what is to be done; None where something is wrong, which ``errors`` has by then."""
        model: type[RunCommand] = NewTimeTicker if self.is_anew else TimeTickerCopy
        own: Mapping[str, Any] = {}
        if self.purpose is Purpose.EDIT:
            model, own = TimeTickerEdit, {"expected": self._state.expected, "reason": self._state.reason}
        try:
            command = model.model_validate({"operation_id": self._state.operation_id, **own, **self.values})
        except ValidationError as error:
            self.errors = {**field_errors.of_model(error), **self.errors}
            return None
        return None if self.errors else command

    def _values(self) -> dict[str, Any]:
        reader = self._reader
        found = reader.work() | self._when()
        if self.purpose is not Purpose.EDIT:
            found |= reader.fields(("unique_key",)) | self._chain()
        if self.purpose is Purpose.NEW:
            found |= reader.fields(("on_conflict",))
        found = restored_payloads(found, self.run, reader)
        is_shown = not self._state.keeps_payload or any(map(reader.text, PAYLOAD))
        if self.purpose is Purpose.COPY and self.is_anew and not is_shown:
            # What the form cannot show is copied as it is.
            found |= _payload_of(self.run)
        return found

    def _chain(self) -> dict[str, Any]:
        reader, branches = self._reader, self._state.chain
        found = {} if self.is_anew else reader.fields(("with_children",))
        if not branches:
            return found
        if found.get("with_children"):
            reader.errors["with_children"] = "Copy its chain or write another one below, not both."
        return found | {"children": reader.chain(branches, reader.text("zone"))}

    def _when(self) -> dict[str, Any]:
        reader, chosen = self._reader, self._reader.text("when")
        if chosen == IN:
            return reader.needed("delay")
        if chosen == AT:
            return self._at()
        return {} if chosen == KEEP or self.is_anew else {"execution_time": None}

    def _at(self) -> dict[str, Any]:
        text = self._reader.text
        if not text("at"):
            return self._reader.needed("at")
        try:
            return {"execution_time": moment(text("at"), text("zone"), text("pass"))}
        except Repeated as error:
            self.is_repeated = True
            self._reader.errors["pass"] = str(error)
        except UnknownZone as error:
            self._reader.errors["zone"] = str(error)
        except Unreadable as error:
            self._reader.errors["at"] = str(error)
        return {}


def _payload_of(run: Run | None) -> dict[str, Any]:
    if run is None or run.request is None:
        return {}
    return dict(run.request) if run.task_id is not None else {"request": run.request}
