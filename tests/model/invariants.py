"""What the protocol promises: predicates over a world and one move from it, named as facts."""

from collections.abc import Callable

from tests.model.state import TERMINAL, Child, Move, Phase, State, Status

Invariant = Callable[[State, Move], bool]

NO_RUN_IS_LOST = "no_run_is_lost"


def _is_stale(before: State, claim_no: int) -> bool:
    return claim_no != before.claim_no or claim_no in before.over


def one_body_per_claim(before: State, move: Move) -> bool:
    """A claim's body starts at most once."""
    return not move.started or move.started not in before.bodies


def no_concurrent_bodies(before: State, move: Move) -> bool:
    """Two bodies run at once only if a living worker was taken for dead."""
    del before
    running = [worker for worker in move.after.workers if worker.phase is Phase.RUNNING]
    return len(running) < 2 or move.after.falsely_dead


def no_body_after_the_end(before: State, move: Move) -> bool:
    """Nothing starts once the run is terminal, nor does it leave that status."""
    return before.status not in TERMINAL or (not move.started and move.after.status is before.status)


def no_start_of_a_stale_claim(before: State, move: Move) -> bool:
    """Only the newest claim starts, and only if it is not over."""
    return not move.started or not _is_stale(before, move.started)


def no_finish_of_a_stale_claim(before: State, move: Move) -> bool:
    """Only the newest claim's finish is accepted, and only if it is not over."""
    return not move.finished or not _is_stale(before, move.finished)


def no_release_of_a_stale_claim(before: State, move: Move) -> bool:
    """Only the newest claim is given back or rescued, and only if it is not over."""
    return not move.released or not _is_stale(before, move.released)


def no_claim_before_the_last_is_over(before: State, move: Move) -> bool:
    """A run is claimed anew only after its last claim ended; its position in the queue is not thrown away."""
    return not move.claimed or not before.claim_no or before.claim_no in before.over


def no_message_before_its_commit(before: State, move: Move) -> bool:
    """No message names a claim that the store does not have yet."""
    del before
    return not move.after.messages or move.after.messages[-1] <= move.after.claim_no


def one_message_per_check(before: State, move: Move) -> bool:
    """A check that falls due is answered by one message, however often the sweep dies."""
    return not (move.swept and before.check_answered)


def no_reap_hides_a_message(before: State, move: Move) -> bool:
    """What a dead worker had prefetched is in the broker again once it is reaped."""
    needed = move.reaped == before.claim_no and before.status is Status.QUEUED
    return not (move.reaped and needed) or move.reaped in move.after.messages


def no_claim_against_a_cause(before: State, move: Move) -> bool:
    """A run that may not run is held, not claimed."""
    return not (move.claimed and before.cause)


def no_hold_survives_its_release(before: State, move: Move) -> bool:
    """When the cause goes, the held run is due at once."""
    return not (before.cause and not move.after.cause and move.after.held)


def no_child_before_the_end(before: State, move: Move) -> bool:
    """A child is activated, skipped or started only if its parent is terminal."""
    moved = before.child is not move.after.child or move.child_started
    return not moved or move.after.status in TERMINAL


def no_child_against_its_condition(before: State, move: Move) -> bool:
    """A child that runs on success starts only after a success."""
    return not move.child_started or before.status is Status.DONE


def no_child_waits_after_the_end(before: State, move: Move) -> bool:
    """No child is left waiting by a parent that is terminal."""
    del before
    return move.after.status not in TERMINAL or move.after.child is not Child.WAITING


INVARIANTS: tuple[Invariant, ...] = (
    one_body_per_claim,
    no_concurrent_bodies,
    no_body_after_the_end,
    no_start_of_a_stale_claim,
    no_finish_of_a_stale_claim,
    no_release_of_a_stale_claim,
    no_claim_before_the_last_is_over,
    no_message_before_its_commit,
    one_message_per_check,
    no_reap_hides_a_message,
    no_claim_against_a_cause,
    no_hold_survives_its_release,
    no_child_before_the_end,
    no_child_against_its_condition,
    no_child_waits_after_the_end,
)
