"""Runs: lists, one, its attempts, log, payload and chain, and why it waits."""

from collections.abc import Callable
from uuid import UUID

from flask import Response

from tickerq_celery import Cron, Run
from tickerq_celery.errors import UnreadableRequestError
from tickerq_dashboard.api.answering import answered, marks_of, may_see, opened
from tickerq_dashboard.api.chain_answers import ChainAnswer
from tickerq_dashboard.api.fields import all_of
from tickerq_dashboard.api.queries import RunsAsked
from tickerq_dashboard.api.run_answers import RunAnswer, RunItem, RunList
from tickerq_dashboard.api.run_reports import (
    AttemptList,
    ExplanationAnswer,
    LogAnswer,
    LogLineAnswer,
    PayloadAnswer,
    ResultAnswer,
)
from tickerq_dashboard.payload_rights import check_filter
from tickerq_dashboard.reading.reader import CHAIN_SHOWN, keeps_result
from tickerq_dashboard.visits import Visit


def listing(name: str) -> Callable[[Visit, RunsAsked], Response]:
    """Return what answers with one list of runs."""

    def runs(visit: Visit, query: RunsAsked) -> Response:
        """Return a page of runs that meet the filters."""
        check_filter(visit, query)
        page = visit.dashboard.reader.runs(name, query.criteria, opened(visit, query), query.limit)
        items = tuple(RunItem.seen(each, may_see=may_see(visit)) for each in page)
        return answered(RunList(items=items, **marks_of(visit, page)))

    return runs


def run(visit: Visit, run_id: UUID) -> Response:
    """Return one run."""
    found = _run(visit, run_id)
    return answered(RunAnswer.whole(found, may_see=may_see(visit)), version=found.version)


def attempts(visit: Visit, run_id: UUID) -> Response:
    """Return the attempts of a run."""
    return answered(AttemptList.seen(_run(visit, run_id), may_see=may_see(visit)))


def log(visit: Visit, run_id: UUID) -> Response:
    """Return what a run logged."""
    return answered(LogAnswer(items=all_of(LogLineAnswer, _run(visit, run_id).logs)))


def payload(visit: Visit, run_id: UUID) -> Response:
    """Return what a run is given, secrets masked."""
    return answered(payload_of(visit, _run(visit, run_id)))


def result(visit: Visit, run_id: UUID) -> Response:
    """Return what a run returned, where that is kept, secrets masked."""
    is_kept, found = keeps_result(_run(visit, run_id)), visit.dashboard.tickerq.runs.result(run_id)
    if found is None or found.problem is not None:
        problem = None if found is None else found.problem
        return answered(ResultAnswer(is_kept=is_kept, result=None, problem=problem))
    return answered(ResultAnswer(is_kept=is_kept, result=found.shown))


def explanation(visit: Visit, run_id: UUID) -> Response:
    """Return why a run does not run."""
    found = visit.dashboard.tickerq.runs.explain(run_id)
    return answered(ExplanationAnswer.seen(found, may_see=may_see(visit)))


def chain(visit: Visit, run_id: UUID) -> Response:
    """Return the chain that a run belongs to."""
    found = visit.dashboard.tickerq.chains.tree(run_id, limit=CHAIN_SHOWN)
    return answered(ChainAnswer.seen(found, may_see=may_see(visit)), version=found.version)


def payload_of(visit: Visit, ticker: Run | Cron) -> PayloadAnswer:
    """Return what a ticker gives a run, and whether it fits; or why that cannot be read."""
    try:
        shown = ticker.shown_request
    except UnreadableRequestError as error:
        return PayloadAnswer(payload=None, problem=str(error))
    except (ValueError, RecursionError):
        return PayloadAnswer(payload=None, problem="it cannot be read as JSON")
    misfits = visit.dashboard.reader.misfits(ticker)
    if misfits is None:
        return PayloadAnswer(payload=shown)
    return PayloadAnswer(payload=shown, is_valid=not misfits, misfits=misfits)


def _run(visit: Visit, run_id: UUID) -> Run:
    return visit.dashboard.tickerq.runs.get(run_id)
