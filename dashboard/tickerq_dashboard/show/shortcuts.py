"""The keyboard shortcuts that are no page's, and what each does: the script has the same keys."""

from collections.abc import Iterable
from dataclasses import dataclass

from tickerq_dashboard.show.bulk import BULK_VERBS
from tickerq_dashboard.show.run_actions import RUN_ACTIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortcut:
    """Keys, with a space between those that are pressed one after another, and what they do."""

    keys: str
    does: str


def _of_actions() -> Iterable[Shortcut]:
    many = {each.key: each.word for each in BULK_VERBS if each.key}
    for action in RUN_ACTIONS:
        if action.key:
            ticked = f"; in a list, {many[action.key].lower()} what is ticked" if action.key in many else ""
            yield Shortcut(keys=action.key, does=f"{action.word}: to its page or its button{ticked}")


SHORTCUTS: tuple[Shortcut, ...] = (
    Shortcut(keys="/", does="Find a name or an id"),
    Shortcut(keys="Esc", does="Leave the field, so that shortcuts work again"),
    Shortcut(keys="j", does="Next row of a list"),
    Shortcut(keys="k", does="Row before"),
    Shortcut(keys="Enter", does="Open the row"),
    Shortcut(keys="x", does="Tick or untick the row"),
    Shortcut(keys="X", does="Tick all rows from the one ticked last to this one"),
    Shortcut(keys="[", does="Newer page"),
    Shortcut(keys="]", does="Older page"),
    Shortcut(keys="p", does="Pause or resume the refreshing of pages"),
    Shortcut(keys="t", does="Next theme: auto, light, dark"),
    *_of_actions(),
)
