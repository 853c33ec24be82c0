"""From the texts of a form to the fields of a command."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from tickerq_dashboard import texts as read
from tickerq_dashboard.forms.chain import Branch
from tickerq_dashboard.texts import Unreadable

Reader = Callable[[str], Any]
TASK = "task"


def _flag(text: str) -> bool:
    return bool(text)


READERS: Mapping[str, Reader] = {
    "request": read.json_value,
    "args": read.json_list,
    "kwargs": read.json_object,
    "options": read.json_object,
    "tags": read.words,
    "retry_intervals": read.spans,
    **dict.fromkeys(("timeout", "hard_timeout", "every", "jitter", "misfire_grace", "delay"), read.span),
    **dict.fromkeys(("day_or", "is_enabled", "with_children"), _flag),
    "exclude": read.dates,
    "time_zone": lambda text: read.zone(text).key,
}
OF_EVERY_KIND = ("description", "priority", "queue", "tags")
OF_FUNCTIONS = ("request", "retries", "retry_intervals", "timeout", "hard_timeout", "concurrency_key")
OF_TASKS = ("args", "kwargs", "options", "on_lost")
# What an emptied field is changed to, where that is not None.
EMPTY: Mapping[str, Any] = {
    "tags": (), "args": (), "kwargs": {}, "options": {}, "exclude": (), "children": (),
    "day_or": False, "is_enabled": False, "with_children": False, "jitter": 0,
}  # fmt: skip


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
            if self._changed is None and READERS.get(name) is _flag:
                found[name] = _flag(text)
            if not self.is_asked(prefix + name):
                continue
            found[name] = EMPTY.get(name) if not text else self._value(prefix + name, name, text)
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
        is_task = self.text(f"{prefix}kind") == TASK
        found = self.fields(OF_EVERY_KIND + (OF_TASKS if is_task else OF_FUNCTIONS), prefix)
        if self.is_asked(f"{prefix}function") or self._changed is None:
            name = self.text(f"{prefix}function")
            found[TASK if is_task else "function"] = name or None
            if not name:
                self.errors[f"{prefix}function"] = "Name a function." if not is_task else "Name a task."
        return found

    def chain(self, branches: Collection[Branch], zone: str | None = None) -> list[dict[str, Any]]:
        """Return the children of a ticker with all below them; in a ``zone`` they may have a moment."""
        return [self._child(branch, zone) for branch in branches]

    def _child(self, branch: Branch, zone: str | None) -> dict[str, Any]:
        # A chain is written anew as a whole.
        alone = FormReader(self.texts, None)
        found = alone.work(branch.path) | alone.fields(("run_condition",), branch.path)
        if zone is not None and alone.text(f"{branch.path}at"):
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
            return READERS.get(name, str)(text)
        except Unreadable as error:
            self.errors[field] = str(error)
            return None
