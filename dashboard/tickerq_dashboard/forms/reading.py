"""From the texts of a form to the fields of a command."""

from collections.abc import Collection, Mapping
from typing import Any

from tickerq_dashboard import texts as read
from tickerq_dashboard.forms.chain import Branch
from tickerq_dashboard.forms.layout import WORK
from tickerq_dashboard.texts import Unreadable
from tickerq_dashboard.ticker_fields import FIELDS, FLAG, FUNCTION, TASK


class FormReader:
    """Reads fields one by one, and keeps a sentence for each that cannot be read.

    Of a form that changes something only the ``changed`` fields are read, and an empty one is emptied; of
    one that makes something (None) an empty one is not said.
    """

    def __init__(self, texts: Mapping[str, str], changed: Collection[str] | None) -> None:
        self.texts = texts
        self.errors: dict[str, str] = {}
        self._changed = changed

    def text(self, name: str) -> str:
        """Return what a field holds, without outer white space."""
        return self.texts.get(name, "").strip()

    def is_asked(self, name: str) -> bool:
        """Whether a field counts."""
        return bool(self.text(name)) if self._changed is None else name in self._changed

    def fields(self, names: Collection[str], prefix: str = "") -> dict[str, Any]:
        """Return the values of the fields that count, by their names without the prefix."""
        found: dict[str, Any] = {}
        for name in names:
            text = self.text(prefix + name)
            if self._changed is None and FIELDS[name].kind is FLAG:
                found[name] = bool(text)
            if self.is_asked(prefix + name):
                found[name] = self._value(prefix + name, name, text) if text else FIELDS[name].empty
        return found

    def needed(self, name: str) -> dict[str, Any]:
        """Return the value of a field that must be there, by its name."""
        text = self.text(name)
        if text:
            return {name: self._value(name, name, text)}
        self.errors[name] = "This is needed."
        return {}

    def work(self, prefix: str = "") -> dict[str, Any]:
        """Return what a ticker calls and how, of the kind that is chosen."""
        kind = TASK if self.text(f"{prefix}kind") == TASK else FUNCTION
        found = self.fields([name for name in WORK if FIELDS[name].of in {"", kind}], prefix)
        if self.is_asked(f"{prefix}function") or self._changed is None:
            name = self.text(f"{prefix}function")
            found[kind] = name or None
            if not name:
                self.errors[f"{prefix}function"] = f"Name a {kind}."
        return found

    def chain(self, branches: Collection[Branch], zone: str | None = None) -> list[dict[str, Any]]:
        """Return the children of a ticker, each with its own; in a ``zone`` they may have moment and key."""
        return [self._child(branch, zone) for branch in branches]

    def _child(self, branch: Branch, zone: str | None) -> dict[str, Any]:
        # A chain is written anew as a whole.
        alone = FormReader(self.texts, None)
        found = alone.work(branch.path) | alone.fields(("run_condition",), branch.path)
        if zone is not None:
            found |= alone.fields(("unique_key",), branch.path)
            if alone.text(f"{branch.path}at"):
                found |= alone.moment(f"{branch.path}at", zone, "execution_time")
        below = alone.chain(branch.children, zone)
        self.errors |= alone.errors
        return found | ({"children": below} if below else {})

    def moment(self, field: str, zone: str, name: str, which: str = read.FIRST) -> dict[str, Any]:
        """Return the moment that a field says by the clocks of a zone, under its name."""
        try:
            return {name: read.moment(self.text(field), zone, which)}
        except Unreadable as error:
            self.errors[field] = str(error)
            return {}

    def _value(self, field: str, name: str, text: str) -> Any:
        try:
            return FIELDS[name].kind.read(text)
        except Unreadable as error:
            self.errors[field] = str(error)
            return None
