"""What can be done to one cron ticker."""

from tickerq_celery import Cron
from tickerq_dashboard.access.roles import Permission
from tickerq_dashboard.commands.command import Resume
from tickerq_dashboard.show.actions import Action
from tickerq_dashboard.show.moments import Clock


def _deletes(cron: Cron, clock: Clock) -> str:
    following = cron.next_run_at
    next_run = "" if following is None else f"Its next run, {clock.single(following)}, goes too. "
    gone = f"{next_run}All of its occurrences and their log lines go with it, and nothing brings them back."
    if cron.is_seeded:
        return (
            f"{gone} Code defines it: it is there again when beat next starts. To stop it, pause it instead."
        )
    return gone


def _pauses(cron: Cron, clock: Clock) -> str:
    return (
        "It does not fire until it is resumed. "
        "Occurrences that no worker has are held; those in progress go on."
    )


def _resumes(cron: Cron, clock: Clock) -> str:
    return (
        "It fires from its next instant on. "
        "Instants missed during the pause do not run: one Skipped occurrence records them."
    )


def _skips(cron: Cron, clock: Clock) -> str:
    if cron.next_run_at is None:
        return "It has no next instant."
    return f"Its run of {clock.single(cron.next_run_at)} is recorded as Skipped. It fires after that."


def _unskips(cron: Cron, clock: Clock) -> str:
    return "The instant that was skipped last, and is still to come, fires after all."


def _reverts(cron: Cron, clock: Clock) -> str:
    return (
        f"It fires by the expression of its code again, {cron.seed_expression}, and follows the code from "
        "then on."
    )


def _runs_now(cron: Cron, clock: Clock) -> str:
    paused = "" if cron.is_enabled else " It stays paused."
    return f"It runs once, now, beside its schedule.{paused}"


CRON_ACTIONS: tuple[Action[Cron], ...] = (
    Action(
        slug="delete",
        verb="cron_tickers.delete",
        word="Delete cron ticker",
        done="Deleted",
        permission=Permission.CRONS_DELETE,
        fits=lambda cron: True,
        effect=_deletes,
        about="Removes a cron ticker with all of its occurrences. One that code defines is there again "
        "when beat next starts.",
        removes=True,
    ),
    Action(
        slug="revert",
        verb="cron_tickers.revert_to_code",
        word="Revert to code",
        done="Reverted to its code",
        permission=Permission.CRONS_EDIT,
        fits=lambda cron: cron.is_seeded and cron.seed_expression not in {None, cron.expression},
        effect=_reverts,
        about="Lets a cron ticker whose expression was edited follow its code again.",
        keep="Leave it",
    ),
    Action(
        slug="skip-next",
        verb="cron_tickers.skip_next",
        word="Skip next",
        done="Skipped the next run",
        permission=Permission.CRONS_PAUSE,
        fits=lambda cron: cron.is_enabled and cron.next_run_at is not None,
        effect=_skips,
        about="Records the next instant as Skipped; it fires after that.",
        asks=False,
        keep="Leave it",
    ),
    Action(
        slug="pause",
        verb="cron_tickers.pause",
        word="Pause cron ticker",
        done="Paused",
        permission=Permission.CRONS_PAUSE,
        fits=lambda cron: cron.is_enabled,
        effect=_pauses,
        about="Stops the cron ticker until it is resumed; runs that a worker has go on.",
        keep="Let it fire",
    ),
    Action(
        slug="resume",
        verb="cron_tickers.resume",
        word="Resume cron ticker",
        done="Resumed",
        permission=Permission.CRONS_PAUSE,
        fits=lambda cron: not cron.is_enabled,
        effect=_resumes,
        about="Lets the cron ticker fire from its next instant on.",
        keep="Leave it paused",
        command=Resume,
    ),
    Action(
        slug="run-now",
        verb="cron_tickers.run_now",
        word="Run now",
        done="Run beside the schedule",
        permission=Permission.CRONS_RUN,
        fits=lambda cron: True,
        effect=_runs_now,
        about="Runs it once, beside its schedule, also while it is paused.",
        asks=False,
        is_main=True,
        keep="Leave it",
    ),
)
# It is offered by what undoes it: a page does not know whether there is anything to take back.
UNSKIP: Action[Cron] = Action(
    slug="unskip-next",
    verb="cron_tickers.unskip_next",
    word="Take the skip back",
    done="Took the skip back",
    permission=Permission.CRONS_PAUSE,
    fits=lambda cron: True,
    effect=_unskips,
    about="Lets the instant that was skipped last fire after all, if it is still to come.",
    keep="Leave it",
)
EVERY_CRON_ACTION = (*CRON_ACTIONS, UNSKIP)
_BY_VERB = {each.verb: each for each in EVERY_CRON_ACTION}
# What takes an action back, by the action's verb.
UNDO = {
    "cron_tickers.skip_next": _BY_VERB["cron_tickers.unskip_next"],
    "cron_tickers.pause": _BY_VERB["cron_tickers.resume"],
    "cron_tickers.resume": _BY_VERB["cron_tickers.pause"],
}
