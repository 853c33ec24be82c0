"""What can be done to several cron tickers of their list, and the words for it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from tickerq_celery import Cron
from tickerq_dashboard.access.roles import Permission
from tickerq_dashboard.show.words import plural


@dataclass(frozen=True, slots=True, kw_only=True)
class CronsVerb:
    """An action on cron tickers that were ticked: the core's verb, its words, and which of them it changes.

    ``left`` says why one that it does not change stays as it is; ``none`` that it would change none.
    """

    action: str
    verb: str
    word: str
    done: str
    permission: Permission
    effect: str
    keep: str
    fits: Callable[[Cron], bool] = lambda cron: True
    left: str = ""
    none: str = "none of them exists any more"
    removes: bool = False

    @property
    def slug(self) -> str:
        """The part of it in addresses."""
        return self.action.replace("_", "-")

    @property
    def undone(self) -> str:
        """The message that nothing was done."""
        return f"Not {self.done}"


CRONS_VERBS: tuple[CronsVerb, ...] = (
    CronsVerb(
        action="delete",
        verb="cron_tickers.delete_batch",
        word="Delete",
        done="deleted",
        permission=Permission.CRONS_DELETE,
        effect="All of their occurrences and log lines go with them, and nothing brings them back. What code "
        "defines is there again when beat next starts. To stop it, pause it instead.",
        keep="Keep them",
        removes=True,
    ),
    CronsVerb(
        action="run_now",
        verb="cron_tickers.run_now_batch",
        word="Run now",
        done="run",
        permission=Permission.CRONS_RUN,
        effect="Each runs once, now, beside its schedule, also while it is paused.",
        keep="Leave them",
    ),
    CronsVerb(
        action="resume",
        verb="cron_tickers.resume_batch",
        word="Resume",
        done="resumed",
        permission=Permission.CRONS_PAUSE,
        effect="They fire from their next instants on. Instants missed during the pause do not run: "
        "one Skipped occurrence of each cron ticker records them.",
        keep="Leave them paused",
        fits=lambda cron: not cron.is_enabled,
        left="is not paused",
        none="none of them is paused",
    ),
    CronsVerb(
        action="pause",
        verb="cron_tickers.pause_batch",
        word="Pause",
        done="paused",
        permission=Permission.CRONS_PAUSE,
        effect="They do not fire until they are resumed. Occurrences that no worker has are held; those in "
        "progress go on.",
        keep="Let them fire",
        fits=lambda cron: cron.is_enabled,
        left="is paused already",
        none="none of them is enabled",
    ),
)
CRONS_BY_ACTION: Mapping[str, CronsVerb] = {each.action: each for each in CRONS_VERBS}


def crons_verbs_of(may: Callable[[Permission], bool]) -> list[CronsVerb]:
    """Return what one who ``may`` may do to several cron tickers."""
    return [each for each in CRONS_VERBS if may(each.permission)]


def counted_crons(verb: CronsVerb, crons: Iterable[Cron]) -> str:
    """Return how many of the cron tickers a verb changes: "2 cron tickers"."""
    return plural(sum(map(verb.fits, crons)), "cron ticker")
