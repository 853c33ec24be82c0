"""Chains as JSON: what they are, and what was changed of them."""

from typing import Self
from uuid import UUID

from tickerq_celery.views import ChainChange, ChainTree
from tickerq_dashboard.api.fields import Answer, Word
from tickerq_dashboard.api.run_answers import RunItem


class ChainRunAnswer(Answer):
    """A run of a chain, ``depth`` levels below the head."""

    run: RunItem
    depth: int
    run_condition: Word | None
    waits_for: str | None


class ChainAnswer(Answer):
    """A chain, level by level from its head; ``truncated`` where it has more runs."""

    root_id: UUID
    runs: tuple[ChainRunAnswer, ...]
    truncated: bool
    version: str

    @classmethod
    def seen(cls, chain: ChainTree, *, may_see: bool) -> Self:
        """Return it as one sees it who may see payloads, or may not."""
        runs = tuple(
            ChainRunAnswer(
                run=RunItem.seen(each.run, may_see=may_see),
                depth=each.depth,
                run_condition=each.run_condition,  # type: ignore[arg-type]  # its word
                waits_for=each.waits_for,
            )
            for each in chain.runs
        )
        return cls(root_id=chain.root_id, runs=runs, truncated=chain.truncated, version=chain.version)


class ChainChangeAnswer(ChainAnswer):
    """A chain after something was done to it; ``changed`` are the runs that it was done to."""

    changed: tuple[UUID, ...]

    @classmethod
    def of(cls, change: ChainChange, *, may_see: bool) -> Self:
        """Return it as one sees it who may see payloads, or may not."""
        chain = ChainAnswer.seen(change.tree, may_see=may_see)
        return cls(**dict(chain), changed=change.ids)
