"""Findings about runs in progress on nodes that are silent, dead or gone."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from tickerq_celery.health.findings import capped, failure, is_or_are, warning
from tickerq_celery.health.phrases import in_line
from tickerq_celery.health.rescuing import rescue_words, rescued_by, silent_since
from tickerq_celery.store.health.orphans import RunningOn
from tickerq_celery.tickers.health import Finding, FindingCode, Subject, SubjectKind
from tickerq_celery.tickers.node_views import LostNode, NodeView
from tickerq_celery.wording import moment


def of_orphans(
    running: Sequence[RunningOn],
    nodes: Sequence[NodeView],
    lost: Sequence[LostNode],
    *,
    at: datetime,
    beats_tick: bool,
    lease: timedelta,
) -> Iterator[Finding]:
    """Yield the nodes that are not well, and which runs are in progress on them.

    A beat rescues them once it has seen no sign of life for a lease, so until then these are warnings; they
    are failures where none ticks, or where that has not come about.
    """
    known: list[NodeView | LostNode] = [*lost, *nodes]
    by_id = {node.id: node for node in known}
    found = []
    for each in running:
        node = by_id.get(each.node_id)
        since = each.first.started_at if node is None else node.seen_at
        silent = silent_since(node, since)
        by = None if silent is None else rescued_by(silent, nodes, lease=lease)
        make = failure if not beats_tick or (by is not None and by <= at) else warning
        found.append(
            make(
                FindingCode.ORPHANED_RUNS,
                f"{_runs(each)} on {_where(each, node)}; {_rescue(by, at, beats_tick)}",
                subject=Subject(SubjectKind.RUN, each.first.function, each.first.id),
                since=since,
                remedy=_remedy(each, beats_tick),
            )
        )
    yield from capped(found, "nodes with runs that wait to be rescued")


def _runs(on: RunningOn) -> str:
    first = on.first
    described = f" ({in_line(first.description, 60)})" if first.description else ""
    others = f" and {on.runs - 1:,} more" if on.runs > 1 else ""
    since = "" if first.started_at is None else f" since {moment(first.started_at)}"
    return f"{first.function}{described}{others} {is_or_are(on.runs)} in progress{since}"


def _where(on: RunningOn, node: NodeView | LostNode | None) -> str:
    if node is None:
        return f"{on.name}, which is gone"
    state = node.state.value if isinstance(node, NodeView) else "gone"
    return f"{node.name}, which is {state}: it was last seen at {moment(node.seen_at)}"


def _rescue(by: datetime | None, at: datetime, beats_tick: bool) -> str:
    if not beats_tick:
        return "no beat ticks, and only a beat rescues runs"
    return "a beat rescues it once it has seen that for a lease" if by is None else rescue_words(by, at)


def _remedy(on: RunningOn, beats_tick: bool) -> str:
    of_more = ", and likewise with the others" if on.runs > 1 else ""
    verbs = (
        f"`tickerq release {on.first.id}` lets it start again, "
        f"`tickerq mark-failed {on.first.id}` ends it{of_more}, once its worker is dead"
    )
    if beats_tick:
        return f"{verbs}; beat's log says why a rescue failed"
    return f"start a beat, `celery -A yourapp beat`: it rescues what is in progress there; or {verbs}"
