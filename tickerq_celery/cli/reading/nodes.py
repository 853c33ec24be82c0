"""``nodes``: the beats and workers that are there, or those that were lost."""

from collections.abc import Sequence

import click

from tickerq_celery.cli import cells
from tickerq_celery.cli.shell import Shell, command
from tickerq_celery.cli.tables import Column
from tickerq_celery.cli.words import Word
from tickerq_celery.enums import NodeKind
from tickerq_celery.tickers.node_views import LostNode, NodeState, NodeView


@command("nodes")
@click.option("--kind", type=Word(NodeKind), help="Only beats, or only workers.")
@click.option("--state", type=Word(NodeState), help="Only those in this state.")
@click.option("--lost", "is_lost", is_flag=True, help="Those that died within the last 30 days instead.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 1000), help="How many.")
def nodes(shell: Shell, kind: NodeKind | None, state: NodeState | None, is_lost: bool, limit: int) -> None:
    """List beats and workers, and those that were lost.

    One that died stands among them as silent, then dead, until a beat has removed it: then --lost has it.
    """
    manager = shell.managers.nodes
    if is_lost:
        if state is not None:
            raise click.UsageError("--state is of nodes that are there: leave --lost out")
        shell.output.listing(manager.lost(kind=kind, limit=limit), _LOST, empty="none was lost")
        return
    found = manager.find(kind=kind, state=state, limit=limit)
    shell.output.listing(found, _NODES, empty="no beat and no worker is there")


def _memory(node: NodeView) -> str:
    return "" if node.memory is None else f"{node.memory / 2**20:,.0f} MiB"


def _work(node: NodeView) -> str:
    """Return what it does: runs in progress of as many as it takes, or of a beat its last tick."""
    if node.kind is NodeKind.BEAT:
        return f"ticked {cells.moment(node.ticked_at)}" if node.ticked_at else "has not ticked"
    most = "" if node.concurrency is None else f" of {node.concurrency}"
    return f"runs {node.running}{most}"


def _note(node: NodeView) -> str:
    lacks = ", ".join(node.missing_functions)
    return "; ".join(
        each
        for each in (
            f"queues {', '.join(node.queues)}" if node.queues else "",
            f"lacks {lacks}" if lacks else "",
            f"shuts down since {cells.moment(node.stopping_since)}" if node.stopping_since else "",
        )
        if each
    )


_STYLES = {NodeState.ALIVE: "green", NodeState.STOPPING: "yellow"}
_NODES: Sequence[Column[NodeView]] = (
    Column("KIND", lambda node: node.kind.value),
    Column("NAME", lambda node: node.name),
    Column("STATE", lambda node: node.state.value, lambda node: _STYLES.get(node.state, "red")),
    Column("SEEN", lambda node: f"{cells.duration(node.silent_for)} ago", is_number=True),
    Column("WORK", _work),
    Column("POOL", lambda node: node.pool or ""),
    Column("MEMORY", _memory, is_number=True),
    Column("VERSION", lambda node: node.version),
    Column("NOTE", _note, folds=True),
)
_LOST: Sequence[Column[LostNode]] = (
    Column("KIND", lambda node: node.kind.value),
    Column("NAME", lambda node: node.name),
    Column("SEEN LAST", lambda node: cells.moment(node.seen_at)),
    Column("FOUND", lambda node: cells.moment(node.found_at)),
    Column("FOUND BY", lambda node: node.found_by),
    Column("RETURNED", lambda node: cells.moment(node.returned_at)),
    Column("QUEUES", lambda node: ", ".join(node.queues), folds=True),
)
