"""What can be done to a run, a chain or a cron ticker, in which states, and the words for it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from tickerq_celery import Cron, Run
from tickerq_celery.views import ChainTree
from tickerq_dashboard.access.roles import Permission
from tickerq_dashboard.commands.command import Command
from tickerq_dashboard.show.moments import Clock

ObjectT = TypeVar("ObjectT", Run, Cron, ChainTree)


@dataclass(frozen=True, slots=True, kw_only=True)
class Action(Generic[ObjectT]):
    """One thing that can be done to an object.

    ``verb`` is the core's, by which the audit knows it; ``word`` is what the button says, ``done`` and
    ``undone`` the message afterwards. ``fits`` says whether the object's state allows it, as far as a page
    can know; ``effect`` what it will do. One that ``asks`` shows that on a page of its own before; there the
    words that ``typed`` returns of the object must be typed. ``about`` says to what it fits and what it does,
    without an object; ``key`` is its keyboard shortcut.
    """

    slug: str
    verb: str
    word: str
    done: str
    permission: Permission
    fits: Callable[[ObjectT], bool]
    effect: Callable[[ObjectT, Clock], str]
    about: str
    asks: bool = True
    is_main: bool = False
    keep: str = "Keep it"
    command: type[Command] = Command
    removes: bool = False
    kills: bool = False
    typed: Callable[[ObjectT], str] | None = None
    key: str = ""

    @property
    def name(self) -> str:
        """The part of it in the names of its routes."""
        return self.slug.replace("-", "_")

    @property
    def is_dangerous(self) -> bool:
        """Whether nothing brings back what it ends."""
        return self.removes or self.kills

    @property
    def undone(self) -> str:
        """The message that it was not done."""
        return f"Not {self.done[0].lower()}{self.done[1:]}"


def offered(
    actions: Iterable[Action[ObjectT]], may: Callable[[Permission], bool], thing: ObjectT
) -> list[Action[ObjectT]]:
    """Return what one who ``may`` may do to an object as it is, the main one last."""
    found = [each for each in actions if may(each.permission) and each.fits(thing)]
    return sorted(found, key=lambda each: each.is_main)
