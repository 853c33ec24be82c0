"""Beats and workers: which are there, and which were lost."""

from typing import Final

from tickerq_celery import validation
from tickerq_celery.enums import NodeKind, NodeKindLike
from tickerq_celery.managers.asynchronous import AsyncManager, AsyncVerb
from tickerq_celery.managers.unit_of_work import UnitOfWork
from tickerq_celery.store.nodes import lost_nodes
from tickerq_celery.store.nodes import views as node_views
from tickerq_celery.store.reading.views import page_size
from tickerq_celery.tickers.node_views import LostNode, NodeState, NodeStateLike, NodeView


class NodeManager:
    """Beats and workers: which are there, and which were lost."""

    def __init__(self, storing: UnitOfWork) -> None:
        self._storing = storing

    def find(
        self,
        *,
        kind: NodeKindLike | None = None,
        state: NodeStateLike | None = None,
        namespace: str | None = None,
        limit: int = 1_000,
    ) -> tuple[NodeView, ...]:
        """Return the beats and workers of a namespace that meet all filters, sorted by kind and name.

        One that ended in order is not among them any more, and one that died is until a beat removes it:
        from then on ``lost`` has it. At most 1,000 nodes of a namespace are looked at.

        Raises:
            TickerValidationError: ``kind`` or ``state`` is unknown, or ``limit`` is not 1 to 1,000.
            QueryTooWideError: It took longer than ``read_budget``.
        """
        size = page_size(limit)
        wanted = None if kind is None else validation.member("kind", kind, NodeKind)
        among = None if state is None else validation.member("state", state, NodeState)
        found = self._storing.core.read_bounded(
            node_views.find, namespace=self._storing.namespace(namespace), kind=wanted
        )
        return tuple([each for each in found if among is None or each.state is among][:size])

    def lost(
        self, *, kind: NodeKindLike | None = None, namespace: str | None = None, limit: int = 50
    ) -> tuple[LostNode, ...]:
        """Return the beats and workers that died within the last 30 days, the latest first.

        One is known as dead once a beat has seen no heartbeat of it for a lease; without a beat, none is.

        Raises:
            TickerValidationError: ``kind`` is unknown, or ``limit`` is not 1 to 1,000.
            QueryTooWideError: It took longer than ``read_budget``.
        """
        wanted = None if kind is None else validation.member("kind", kind, NodeKind)
        within, size = self._storing.namespace(namespace), page_size(limit)
        return tuple(
            self._storing.core.read_bounded(lost_nodes.find, namespace=within, kind=wanted, limit=size)
        )


class AsyncNodes(AsyncManager):
    """Beats and workers: which are there, and which were lost."""

    find: Final = AsyncVerb(NodeManager.find)
    lost: Final = AsyncVerb(NodeManager.lost)
