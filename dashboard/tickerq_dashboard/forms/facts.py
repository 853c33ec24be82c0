"""What to know before a form is sent, each in a sentence."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tickerq_celery.errors import TickerValidationError
from tickerq_celery.views import CheckedBy
from tickerq_dashboard.forms import field_errors
from tickerq_dashboard.reading.named import Named, named
from tickerq_dashboard.show.words import pause_words, plural
from tickerq_dashboard.ticker_fields import TASK
from tickerq_dashboard.visits import Visit


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One sentence of a review: ``css`` is ok, info or warn."""

    css: str
    words: str


def named_in(visit: Visit, texts: Mapping[str, str]) -> Named:
    """Return what is known of what the texts of a form name."""
    is_task = texts.get("kind") == TASK
    return named(visit.dashboard.reader, texts.get("function", "").strip(), is_task=is_task)


def facts_of(found: Named) -> Iterator[Fact]:
    """Yield who would run what a form names, and what would hold it."""
    if found.problem and found.name:
        yield Fact(css="warn", words=found.problem)
    if found.is_task or found.problem:
        return
    nodes = found.view.nodes if found.view is not None else ()
    if nodes:
        have = "has" if len(nodes) == 1 else "have"
        yield Fact(css="ok", words=f"{plural(len(nodes), 'live worker')} {have} {found.name}.")
    else:
        yield Fact(css="warn", words=f"No live worker has {found.name}: its runs are held until one does.")
    for pause in () if found.view is None else found.view.pauses:
        by = f" by {pause.paused_by}" if pause.paused_by else ""
        yield Fact(
            css="warn", words=f"{pause_words(pause)} is paused{by}: its runs are held until that ends."
        )


def payload_facts(visit: Visit, found: Named, values: Mapping[str, Any], *, is_new: bool) -> Iterator[Fact]:
    """Yield whether the payload of a form fits the function, or why that is unknown before it runs.

    Of what is edited, a payload that stays is not looked at.
    """
    if found.is_task or found.problem or not found.name or not (is_new or "request" in values):
        return
    try:
        checked_by = visit.dashboard.tickerq.functions.check_request(found.name, values.get("request"))
    except TickerValidationError as error:
        for said in field_errors.each_of_core(error):
            yield Fact(css="warn", words=f"The payload does not fit: {said}")
    else:
        css, words = _FITTING[checked_by]
        yield Fact(css=css, words=words.format(found.name))


_FITTING: Mapping[CheckedBy, tuple[str, str]] = {
    CheckedBy.FUNCTION: ("ok", "The payload fits {}."),
    CheckedBy.SCHEMA: ("ok", "The payload fits the schema that the workers of {} registered."),
    CheckedBy.NOTHING: (
        "info",
        "What {} takes is not known here: its worker checks the payload when it runs.",
    ),
    CheckedBy.UNUSABLE: (
        "warn",
        "The payload is not checked: the schema that the workers of {} registered cannot be used. Its worker "
        "checks the payload when it runs.",
    ),
}
