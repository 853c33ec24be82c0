"""What the buttons of a form do to its texts before it is shown again."""

from collections.abc import Mapping

from tickerq_dashboard.forms.chain import branches_at, renumbered, with_child, without_child
from tickerq_dashboard.reading.named import Named
from tickerq_dashboard.show.json_tree import editable

ADD, REMOVE, PRESET, EXAMPLE = "add", "remove", "preset", "example"


def focus_after(texts: Mapping[str, str], step: str) -> str | None:
    """Return the field that the button ``step`` has added or filled in, of the texts as they are by then."""
    what, _, where = step.partition(":")
    if what == ADD:
        below = [branch.path for branch in branches_at(texts, where)]
        return f"{below[-1]}function" if below else None
    return {PRESET: "expression", EXAMPLE: "request"}.get(what)


def after_step(texts: Mapping[str, str], step: str, found: Named) -> dict[str, str]:
    """Return the texts after the button ``step``, which adds or removes a child, or fills in a field."""
    what, _, where = step.partition(":")
    kept = renumbered(texts)
    if what == ADD:
        return with_child(kept, where)
    if what == REMOVE:
        return without_child(kept, where)
    if what == PRESET:
        return {**kept, "schedule": "cron", "expression": where}
    if what == EXAMPLE and found.example is not None:
        return {**kept, "request": editable(found.example)}
    return kept
