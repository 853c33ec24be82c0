"""A form as it is shown: its texts, the errors beside its fields, and its chain."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from tickerq_dashboard.commands.work import PAYLOAD
from tickerq_dashboard.forms.chain import Branch, branches_of
from tickerq_dashboard.forms.field_errors import FORM
from tickerq_dashboard.forms.layout import ORDER_OF_RUN
from tickerq_dashboard.forms.seen import Digests, changed_names, digests_of, written
from tickerq_dashboard.ticker_fields import FLAG, Field, field_of

# What they say is said by other fields.
_UNTOLD = {"was", "schedule", "kind", "zone", "when"}


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
    order: Sequence[str] = ORDER_OF_RUN
    focus: str | None = None

    def text(self, name: str) -> str:
        """Return what a field holds."""
        return self.texts.get(name, "")

    def field(self, name: str) -> Field | None:
        """Return the field of a name, of a child with its path."""
        return field_of(name)

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
            if name.rpartition(".")[2] not in _UNTOLD:
                yield label_of(name), _said(name, stored.get(name, "")), _said(name, self.texts.get(name, ""))


def _said(name: str, text: str) -> str:
    field = field_of(name)
    return text if field is None or field.kind is not FLAG else "yes" if text else "no"


def label_of(name: str) -> str:
    """Return how people call a field; of a child with its number."""
    if name == FORM:
        return "The form"
    path, _, leaf = name.rpartition(".")
    field = field_of(name)
    label = leaf.replace("_", " ").capitalize() if field is None else field.label
    if not path:
        return label
    numbers = ".".join(str(int(each) + 1) for each in path.split(".") if each.isdigit())
    return f"Child {numbers}, {label[0].lower()}{label[1:]}"


def _path_of(name: str) -> tuple[int, ...]:
    return tuple(int(each) for each in name.split(".")[:-1] if each.isdigit())
