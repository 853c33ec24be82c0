"""A form as it is shown: its texts, the errors beside its fields, and its chain."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from tickerq_dashboard.commands.work import PAYLOAD
from tickerq_dashboard.forms.chain import Branch, branches_of
from tickerq_dashboard.forms.field_errors import FORM
from tickerq_dashboard.forms.seen import Digests, changed_names, digests_of, written

LABELS: Mapping[str, str] = {
    FORM: "The form",
    "function": "Function",
    "request": "Payload",
    "args": "Positional arguments",
    "kwargs": "Keyword arguments",
    "options": "Options of the call",
    "on_lost": "If its worker dies",
    "description": "Description",
    "tags": "Tags",
    "schedule": "Schedule",
    "expression": "Cron expression",
    "every": "Interval",
    "time_zone": "Time zone",
    "day_or": "Either day field",
    "when": "When",
    "delay": "Time from now",
    "at": "Date and time",
    "pass": "Which of both",
    "zone": "Time zone",
    "with_children": "Its chain",
    "run_condition": "Runs when",
    "start_at": "Not before",
    "end_at": "Not after",
    "max_runs": "Runs in all",
    "exclude": "Not on",
    "jitter": "Spread",
    "overlap": "Overlap",
    "misfire": "Missed instants",
    "misfire_limit": "Missed instants at most",
    "misfire_grace": "Late at most",
    "pause_on_failure": "Failures before a pause",
    "retries": "Retries",
    "retry_intervals": "Waits between retries",
    "timeout": "Timeout",
    "hard_timeout": "Hard timeout",
    "priority": "Priority",
    "queue": "Queue",
    "concurrency_key": "Concurrency key",
    "unique_key": "Unique key",
    "on_conflict": "If the key is taken",
    "is_enabled": "Enabled",
    "reason": "Reason",
}
_FLAGS = {"day_or", "with_children", "is_enabled"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """An error as the summary at the head of a form lists it; without a field it is about all of the form."""

    field: str
    label: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FormState:
    """What a form holds and what is wrong with it.

    ``stored`` are the texts of what it changes, as they are at present; None of a form that makes something.
    ``seen`` are digests of those that its sender had seen, as far as they are known to be others.
    ``order`` is that of the fields on the page, ``focus`` the field that was just filled in or added.
    """

    texts: Mapping[str, str]
    operation_id: UUID
    errors: Mapping[str, str] = field(default_factory=dict)
    stored: Mapping[str, str] | None = None
    seen: Digests | None = None
    expected: str | None = None
    reason: str | None = None
    order: Sequence[str] = tuple(LABELS)
    focus: str | None = None

    def text(self, name: str) -> str:
        """Return what a field holds."""
        return self.texts.get(name, "")

    @property
    def seen_text(self) -> str:
        """What its sender had seen, as the text of a field."""
        return written(self._seen)

    @property
    def changed(self) -> set[str] | None:
        """The fields that its sender changed; None of a form that makes something."""
        return None if self.stored is None else changed_names(self._seen, self.texts)

    @property
    def _seen(self) -> Digests:
        return digests_of(self.stored or {}) if self.seen is None else self.seen

    @property
    def keeps_payload(self) -> bool:
        """Whether what is stored has a payload that the form cannot show: too large, or not readable here."""
        return self.stored is not None and not PAYLOAD & self.stored.keys()

    @property
    def chain(self) -> tuple[Branch, ...]:
        """The children with all below them."""
        return branches_of(self.texts)

    @property
    def complaints(self) -> list[Complaint]:
        """The errors in the order of the fields."""
        listed = sorted(self.errors, key=lambda name: (_path_of(name), self._rank(name)))
        return [Complaint(field=name, label=label_of(name), words=self.errors[name]) for name in listed]

    @property
    def focused(self) -> str | None:
        """The field that is to have the focus: the first that is wrong, or the one that is new."""
        return next((each.field for each in self.complaints if each.field != FORM), self.focus)

    def opens(self, prefix: str) -> bool:
        """Whether the folded fields of a child are to be seen: one is wrong, or it has a payload."""
        return any(name.startswith(prefix) for name in self.errors)

    def opens_any(self, names: Iterable[str]) -> bool:
        """Whether one of some folded fields is wrong, or holds something."""
        return any(name in self.errors or self.text(name) for name in names)

    def _rank(self, name: str) -> int:
        leaf = name.rpartition(".")[2]
        return self.order.index(leaf) if leaf in self.order else len(self.order)

    def changes(self) -> Iterator[tuple[str, str, str]]:
        """Yield what the form changes: the label of a field, what is stored, and what it holds."""
        stored = self.stored or {}
        changed = changed_names(digests_of(stored), self.texts)
        for name in sorted(changed, key=lambda name: (_path_of(name), self._rank(name))):
            if name.rpartition(".")[2] not in {"was", "schedule", "kind", "zone", "when"}:
                yield label_of(name), _said(name, stored.get(name, "")), _said(name, self.texts.get(name, ""))


def _said(name: str, text: str) -> str:
    return ("yes" if text else "no") if name in _FLAGS else text


def label_of(name: str) -> str:
    """Return how people call a field; of a child with its number."""
    path, _, leaf = name.rpartition(".")
    label = LABELS.get(leaf, leaf.replace("_", " ").capitalize())
    if not path:
        return label
    numbers = ".".join(str(int(each) + 1) for each in path.split(".") if each.isdigit())
    return f"Child {numbers}, {label[0].lower()}{label[1:]}"


def _path_of(name: str) -> tuple[int, ...]:
    return tuple(int(each) for each in name.split(".")[:-1] if each.isdigit())
