"""Cron tickers: the list, one, its payload, its occurrences and its coming instants."""

from uuid import UUID

from flask import Response

from tickerq_dashboard.api.answering import answered, marks_of, may_see, opened
from tickerq_dashboard.api.cron_answers import (
    CronAnswer,
    CronFiguresAnswer,
    CronItem,
    CronList,
    CronPayloadAnswer,
    InstantList,
)
from tickerq_dashboard.api.fields import all_of
from tickerq_dashboard.api.queries import CronsAsked, InstantsAsked, OccurrencesAsked
from tickerq_dashboard.api.run_answers import RunItem, RunList
from tickerq_dashboard.api.runs import payload_of
from tickerq_dashboard.visits import Visit


def crons(visit: Visit, query: CronsAsked) -> Response:
    """Return cron tickers."""
    order = "by_name" if query.order == "name" else "by_next_run"
    page = visit.dashboard.reader.crons(order, query.criteria, opened(visit, query), query.limit)
    return answered(CronList(items=all_of(CronItem, page), **marks_of(visit, page)))


def cron(visit: Visit, cron_id: UUID) -> Response:
    """Return one cron ticker."""
    found = visit.dashboard.tickerq.cron_tickers.get(cron_id)
    return answered(CronAnswer.model_validate(found), version=found.version)


def payload(visit: Visit, cron_id: UUID) -> Response:
    """Return what the runs of a cron ticker are given, and their chain, secrets masked."""
    found = visit.dashboard.tickerq.cron_tickers.get(cron_id)
    return answered(CronPayloadAnswer.whole(found, payload_of(visit, found)))


def occurrences(visit: Visit, query: OccurrencesAsked, cron_id: UUID) -> Response:
    """Return the occurrences of a cron ticker that have ended, the latest end first."""
    visit.dashboard.tickerq.cron_tickers.get(cron_id)
    reader = visit.dashboard.reader
    page = reader.runs("history", {"cron_ticker_id": cron_id}, opened(visit, query), query.limit)
    items = tuple(RunItem.seen(each, may_see=may_see(visit)) for each in page)
    return answered(RunList(items=items, **marks_of(visit, page)))


def instants(visit: Visit, query: InstantsAsked, cron_id: UUID) -> Response:
    """Return the next instants of a cron ticker."""
    found = visit.dashboard.tickerq.cron_tickers.upcoming(cron_id, count=query.count)
    return answered(InstantList(items=tuple(found)))


def figures(visit: Visit, cron_id: UUID) -> Response:
    """Return how a cron ticker has done lately."""
    crons = visit.dashboard.tickerq.cron_tickers
    crons.get(cron_id)
    return answered(CronFiguresAnswer.model_validate(crons.figures([cron_id])[cron_id]))
