"""A chain as lines for people: each run below its parent."""

from collections.abc import Iterator
from uuid import UUID

from tickerq_celery.tickers.chain_trees import ChainRun, ChainTree


def lines_of(tree: ChainTree, shown: UUID | None = None) -> Iterator[str]:
    """Yield a line for each run of a chain, indented below its parent; the one ``shown`` is marked."""
    for each in _in_order(tree, None):
        yield _line(each, is_shown=each.run.id == shown)
    if tree.truncated:
        yield f"and more than these {len(tree.runs):,}"


def _in_order(tree: ChainTree, above: UUID | None) -> Iterator[ChainRun]:
    # A stack, not recursion: a chain may be as deep as it has runs.
    waiting = list(reversed(tree.children_of(above)))
    while waiting:
        each = waiting.pop()
        yield each
        waiting.extend(reversed(tree.children_of(each.run.id)))


def _line(each: ChainRun, *, is_shown: bool) -> str:
    run = each.run
    condition = "" if each.run_condition is None else f" [{each.run_condition.name.lower()}]"
    parts = [
        f"{'  ' * each.depth}{run.function}{condition}: {run.status_word}",
        str(run.id),
        "(this run)" if is_shown else "",
        each.waits_for or "",
    ]
    return "  ".join(part for part in parts if part)
