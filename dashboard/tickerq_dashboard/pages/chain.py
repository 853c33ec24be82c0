"""The page of a chain: how it is as a whole, its tree, and the same as a list."""

from uuid import UUID

from werkzeug.wrappers import Response

from tickerq_celery.views import ChainRun
from tickerq_dashboard.reading.lost_runs import lost_workers
from tickerq_dashboard.show.actions import offered
from tickerq_dashboard.show.chain_actions import CHAIN_ACTIONS
from tickerq_dashboard.show.chains import chain_words, has_run, in_order
from tickerq_dashboard.show.charts.chain import MOST_DRAWN, Node, chain_chart
from tickerq_dashboard.show.heads import button_of, head_of
from tickerq_dashboard.show.statuses import look_of
from tickerq_dashboard.visits import Visit


def chain(visit: Visit, run_id: UUID) -> Response:
    """Show the chain that a run belongs to."""
    tree = visit.dashboard.reader.chain(run_id)
    runs = in_order(tree.runs)
    lost = lost_workers(visit.dashboard.reader, [each.run for each in runs])
    looks = [look_of(each.run, lost) for each in runs]
    clock = visit.clock()
    buttons = [button_of(each, "chain", tree, clock) for each in offered(CHAIN_ACTIONS, visit.may, tree)]
    return visit.page(
        "chain.html",
        clock=clock,
        here_id=run_id,
        tree=tree,
        lost=lost,
        runs=runs,
        words=chain_words(looks, truncated=tree.truncated),
        has_ended=all(look.has_ended for look in looks),
        has_here=any(each.run.id == run_id for each in runs),
        chart=None if tree.truncated else chain_chart([_node(each) for each in runs]),
        buttons=head_of(buttons, main="retry-failed", most=2),
        most_drawn=MOST_DRAWN,
    )


def _node(each: ChainRun) -> Node:
    return Node(id=each.run.id, parent_id=each.run.parent_id, depth=each.depth, has_run=has_run(each.run))
