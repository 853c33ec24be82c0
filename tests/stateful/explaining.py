"""Whatever happens in whatever order, a run that waits has a cause."""

from uuid import UUID

from tests.inner import Core
from tests.stateful.world import World
from tickerq_celery.enums import TERMINAL, TickerStatus
from tickerq_celery.health.waiting import facts as waiting_facts
from tickerq_celery.health.waiting.case import Outside, WaitingCase
from tickerq_celery.health.waiting.explaining import explained
from tickerq_celery.views import RunExplanation

# Each look costs some statements: walks must not become slow by it.
_EVERY, _MOST = 10, 4


def check_explanations(world: World) -> None:
    """Explain some of the runs after each tenth step: those that wait have a cause, those that ended none."""
    if world.moment % _EVERY:
        return
    runs = world.sight.runs.values()
    waiting = [run for run in runs if run.status not in TERMINAL]
    ended = [run for run in runs if run.status in TERMINAL]
    for run in [*waiting[-_MOST:], *ended[-1:]]:
        explanation = _explained(world.core, run.id)
        shown = f"{world.shown(run)}: {explanation}"
        if run.status in {TickerStatus.IDLE, TickerStatus.QUEUED}:
            assert explanation.is_waiting, f"said to wait for nothing, {shown}"
        if run.status in TERMINAL:
            assert not explanation.is_waiting, f"said to wait after its end, {shown}"
        assert len(explanation.summary.splitlines()) == 1, shown


def _explained(core: Core, run_id: UUID) -> RunExplanation:
    # Not by the manager, whose bounded reads have threads and connections of their own.
    most_queued = core.config.max_queued
    (facts,) = core.read(waiting_facts.read, [run_id], None, most_queued=most_queued)
    return explained(WaitingCase(facts=facts, config=core.config, outside=Outside()))
