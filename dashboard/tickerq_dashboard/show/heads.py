"""The buttons in the head of one thing's page: a few in its row, the others in a menu."""

from collections.abc import Sequence
from dataclasses import dataclass

from tickerq_dashboard.show.actions import Action, ObjectT
from tickerq_dashboard.show.moments import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """A button: a link to a page, or, where it ``acts``, a form that takes effect at once.

    ``route`` is the name of the page or of the form's row, ``effect`` what the form will do, ``key`` its
    keyboard shortcut.
    """

    slug: str
    word: str
    route: str
    acts: bool = False
    is_dangerous: bool = False
    effect: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The buttons of a row, the ``main`` one last where there is one, and those of the menu beside it."""

    row: tuple[Button, ...]
    menu: tuple[Button, ...]
    main: str | None


def button_of(action: Action[ObjectT], page: str, thing: ObjectT, clock: Clock) -> Button:
    """Return the button of an action that is offered on the page of an object."""
    route = f"{page}_{action.name}"
    return Button(
        slug=action.slug,
        word=f"{action.word} \N{HORIZONTAL ELLIPSIS}" if action.asks else action.word,
        route=f"ask_{route}" if action.asks else route,
        acts=not action.asks,
        is_dangerous=action.is_dangerous,
        effect="" if action.asks else action.effect(thing, clock),
        key=action.key,
    )


def head_of(buttons: Sequence[Button], *, main: str | None, most: int) -> Head:
    """Return a head with ``most`` buttons in its row: the last ones, and the ``main`` one after them.

    What nothing brings back is in the menu, and there the last.
    """
    harmless = sorted((each for each in buttons if not each.is_dangerous), key=lambda each: each.slug == main)
    row = harmless[-most:]
    menu = sorted((each for each in buttons if each not in row), key=lambda each: each.is_dangerous)
    return Head(row=tuple(row), menu=tuple(menu), main=main)
