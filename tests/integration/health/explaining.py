"""Ask why a run of a store does not run."""

from uuid import UUID

from tests.inner import Core, NodeRegistration, profile
from tests.integration.making import another_node, runs
from tests.plain_surroundings import PlainSurroundings
from tickerq_celery.enums import NodeKind
from tickerq_celery.views import RunExplanation, Wait, WaitCause


def with_beat(core: Core) -> Core:
    """Let a beat register, and return the core."""
    core.write(NodeRegistration(profile(another_node(core), NodeKind.BEAT)).register)
    return core


def explain(core: Core, run_id: UUID, surroundings: PlainSurroundings | None = None) -> RunExplanation:
    """Return why a run does not run; ``surroundings`` are what lies outside of the store."""
    return runs(core, surroundings=surroundings).explain(run_id)


def causes(core: Core, run_id: UUID) -> list[WaitCause]:
    """Return the causes for which a run waits."""
    return [wait.cause for wait in explain(core, run_id).waits]


def only(core: Core, run_id: UUID, cause: WaitCause) -> Wait:
    """Return the one wait of a run, which is for this cause."""
    explanation = explain(core, run_id)
    assert [wait.cause for wait in explanation.waits] == [cause], str(explanation)
    assert explanation.is_waiting
    return explanation.waits[0]
