"""What a form has sent: texts by the names of its fields, whatever they mean."""

from collections.abc import Iterable, Mapping
from typing import Any, Self
from uuid import UUID, uuid4

from pydantic import BaseModel, ConfigDict

from tickerq_dashboard.forms.seen import read

# The chain's path stands in the names of its fields.
_OURS = ("csrf_token", "operation_id", "expected", "step", "reason", "seen")
STORE, REVIEW = "store", "review"


class SentForm(BaseModel):
    """The texts of one form, the button that sent it, and its one-time id.

    It takes whatever was sent: what means nothing is said beside its field, on the same form.
    """

    model_config = ConfigDict(frozen=True)

    texts: Mapping[str, str] = {}
    step: str = REVIEW
    operation_id: UUID
    expected: str | None = None
    seen: Mapping[str, str] | None = None
    reason: str | None = None

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> Self:
        """Return what was sent; of fields with the same name the last one counts."""
        given: dict[str, str] = {name: text.replace("\r\n", "\n") for name, text in pairs}
        own: dict[str, Any] = {name: given.pop(name, "").strip() for name in _OURS}
        return cls(
            texts=given,
            step=own["step"] or REVIEW,
            operation_id=_id_in(own["operation_id"]),
            expected=own["expected"] or None,
            seen=read(own["seen"]),
            reason=own["reason"] or None,
        )

    @property
    def stores(self) -> bool:
        """Whether it is to be stored, and not only shown anew."""
        return self.step == STORE

    @property
    def checks(self) -> bool:
        """Whether what is wrong is said: not to one who only pressed a button that fills the form."""
        return self.step in {STORE, REVIEW}


def _id_in(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return uuid4()
