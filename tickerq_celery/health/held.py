"""Findings about runs that may not run: held for want of a function, or by a pause."""

import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Unpack

from tickerq_celery.enums import HoldReason, PauseKind
from tickerq_celery.health.findings import Details, capped, failure, first_since, waits_or_wait, warning
from tickerq_celery.health.phrases import counted, in_line
from tickerq_celery.store.cron.cron_pauses import BY_FAILURES, PausedCron
from tickerq_celery.store.health.backlog import Late
from tickerq_celery.store.health.held_runs import Held
from tickerq_celery.tickers.counts import Count
from tickerq_celery.tickers.health import Finding, FindingCode, Subject, SubjectKind
from tickerq_celery.tickers.node_views import NodeView, functions_there
from tickerq_celery.tickers.pauses import Pause
from tickerq_celery.tickers.skip_reasons import who_and_why
from tickerq_celery.wording import moment, most_like


def of_functions(
    held: Sequence[Held], awaited: Mapping[str, Late], nodes: Sequence[NodeView]
) -> Iterator[Finding]:
    """Yield the functions that no live worker has, with how many runs wait for one.

    Those are runs that a beat holds for it, and overdue ones of the functions that are ``awaited``. Of the
    functions that live workers among ``nodes`` have, one with almost the same name is said.
    """
    there = functions_there(nodes)
    waits = dict(awaited)
    for each in held:
        if each.reason is HoldReason.FUNCTION:
            its = Late(count=each.runs, since=each.since)
            due = [awaited[each.function]] if each.function in awaited else []
            waits[each.function] = Late.sum([its, *due])
    found = [
        # What a beat has just set aside may be a rollout; what is overdue is work that is not done.
        (failure if name in awaited else warning)(
            FindingCode.NO_FUNCTION,
            f"{counted(late.count, 'run')} of {name} {waits_or_wait(late.count)}: "
            f"no live worker has this function{first_since(late.since)}",
            subject=Subject(SubjectKind.FUNCTION, name),
            since=late.since,
            remedy=_renamed(name, there)
            + "start a worker whose code has it, `celery -A yourapp worker`, or cancel its runs",
        )
        for name, late in sorted(waits.items(), key=lambda each: each[1].count, reverse=True)
    ]
    yield from capped(found, "functions that no live worker has")


def _renamed(name: str, there: Collection[str]) -> str:
    present = most_like(name, there)
    return "" if present is None else f"if it was renamed {present}, edit its cron tickers; else "


def of_pauses(
    pauses: Sequence[Pause], crons: Sequence[PausedCron], held: Sequence[Held]
) -> Iterator[Finding]:
    """Yield what is paused, since when, why, and by whom, and how many due runs wait for the end of it.

    The pause of everything comes first.
    """
    waiting = {each.key: each.runs for each in held if each.reason is HoldReason.PAUSED}
    found = [
        _paused(
            f"{_scope(pause)} is paused{_when(pause.paused_at)}{who_and_why(pause.paused_by, pause.reason)}",
            waiting.get(pause.key),
            subject=_scope(pause),
            since=pause.paused_at,
            remedy=f"`tickerq resume {_resume(pause)}` ends it",
        )
        for pause in sorted(pauses, key=lambda each: each.kind is not PauseKind.EVERYTHING)
    ]
    for cron in crons:
        said = "" if cron.description is None else f"{in_line(cron.description)}, "
        scope = Subject(SubjectKind.CRON_TICKER, f"{cron.function} ({said}{cron.expression})", cron.id)
        error = "" if cron.error_type is None else f", the last with {cron.error_type}"
        found.append(
            _paused(
                f"{scope} is paused{_when(cron.paused_at)}{who_and_why(cron.paused_by, cron.reason)}{error}",
                waiting.get(str(cron.id)),
                subject=scope,
                since=cron.paused_at,
                remedy=_resume_cron(cron),
                error_head=None if cron.error_head is None else in_line(cron.error_head),
            )
        )
    yield from capped(found, "pauses")


def _resume_cron(cron: PausedCron) -> str:
    verb = f"`tickerq resume {cron.id}`"
    if cron.paused_by == BY_FAILURES:
        return f"fix the cause of its failures, then {verb}: else it fails again, and is paused again"
    return f"{verb} ends it"


def _when(since: datetime | None) -> str:
    return "" if since is None else f" since {moment(since)}"


def _paused(text: str, waiting: Count | None, **details: Unpack[Details]) -> Finding:
    if waiting is not None and waiting.number:
        text += f"; {counted(waiting, 'run')} {waits_or_wait(waiting)}"
    return warning(FindingCode.PAUSED, text, **details)


def _scope(pause: Pause) -> Subject:
    return Subject(SubjectKind(pause.kind), pause.name)


def _resume(pause: Pause) -> str:
    """Return the arguments of the command that ends a pause."""
    if pause.kind is PauseKind.EVERYTHING:
        return "--everything"
    return f"--{pause.kind} {shlex.quote(pause.name)}"
