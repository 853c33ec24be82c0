"""Which pauses hold a run: of its function, of its tags, of everything, and of its cron ticker."""

from collections.abc import Iterator

from tickerq_celery.enums import PauseKind
from tickerq_celery.health.phrases import in_line
from tickerq_celery.health.waiting.case import Reason, WaitingCase, reason
from tickerq_celery.store.health.waiting import CronPause
from tickerq_celery.tickers.explanations import WaitCause
from tickerq_celery.tickers.pauses import Pause
from tickerq_celery.tickers.skip_reasons import who_and_why
from tickerq_celery.wording import moment

_WHAT = {
    PauseKind.FUNCTION: "Function {}",
    PauseKind.TAG: "Tag {}",
    PauseKind.EVERYTHING: "Everything",
}


def pauses(case: WaitingCase) -> Iterator[Reason]:
    """Yield all pauses that hold an Idle run, or will hold it once it is due."""
    for pause in case.facts.pauses:
        yield _pause(pause)
    own = case.facts.cron_pause
    if own is not None and not own.is_enabled:
        yield _of_cron(own)


def _pause(pause: Pause) -> Reason:
    what = _WHAT[pause.kind].format(pause.name)
    why = in_line(who_and_why(pause.paused_by, pause.reason).strip())
    option = f"--{pause.kind.value} {pause.name}".strip()
    value = "True" if pause.kind is PauseKind.EVERYTHING else f'"{pause.name}"'
    return reason(
        WaitCause.PAUSE,
        _short(what, pause.paused_by),
        f"{what} is paused since {moment(pause.paused_at)}{_after(why)}.",
        remedy=f"`tickerq resume {option}`, or `pauses.resume({pause.kind.value}={value})`",
    )


def _of_cron(pause: CronPause) -> Reason:
    why = in_line(who_and_why(pause.paused_by, pause.paused_reason).strip())
    since = "" if pause.paused_at is None else f" since {moment(pause.paused_at)}"
    return reason(
        WaitCause.PAUSE,
        _short("its cron ticker", pause.paused_by),
        f"Its cron ticker {pause.id} is paused{since}{_after(why)}.",
        remedy=f'`tickerq resume {pause.id}`, or `cron_tickers.resume("{pause.id}")`',
    )


def _after(why: str) -> str:
    return why if not why or why.startswith(":") else f" {why}"


def _short(what: str, by: str | None) -> str:
    return f"the end of the pause of {what[0].lower()}{what[1:]}" + ("" if by is None else f" by {by}")
