"""How many bodies of one function, or of one concurrency key of it, may have run at once."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tests.soak.history import History
from tests.soak.traces import Started
from tests.soak.violation import Rule, Violation


@dataclass(frozen=True, slots=True, kw_only=True)
class _Body:
    ticker_id: UUID
    claim_no: int
    begun: datetime
    over: datetime


def limits_are_kept(history: History) -> Iterator[Violation]:
    """A function with a limit never has more bodies at once, but for those that were recorded as lost."""
    for function, limit in history.limits.items():
        starts = [start for start in history.started if start.function == function]
        yield from _too_many_at_once(history, starts, function, limit)


def limits_of_keys_are_kept(history: History) -> Iterator[Violation]:
    """Nor has a key of a function that counts its runs by keys; what was deleted has none any more."""
    for function, limit in history.key_limits.items():
        starts: dict[str | None, list[Started]] = defaultdict(list)
        for start in history.started:
            run = history.run_of.get(start.ticker_id)
            if start.function == function and run is not None and run.key is not None:
                starts[run.key].append(start)
        for key, of_key in starts.items():
            yield from _too_many_at_once(history, of_key, f"{function} with key {key}", limit)


def _too_many_at_once(
    history: History, starts: Sequence[Started], words: str, limit: int
) -> Iterator[Violation]:
    bodies = [_body(history, start) for start in starts]
    running: list[_Body] = []
    for body in sorted((b for b in bodies if b.begun < b.over), key=lambda each: each.begun):
        running = [each for each in running if each.over > body.begun] + [body]
        if len(running) > limit:
            yield Violation(
                rule=Rule.LIMIT_IS_KEPT,
                subject=body.ticker_id,
                evidence=f"{len(running)} bodies of {words} at once, {limit} may: {running}",
            )


def _body(history: History, start: Started) -> _Body:
    claim = (start.ticker_id, start.claim_no)
    attempt = history.attempt_of.get(claim)
    overs = [end.at for end in history.ends_of.get(claim, ())]
    # A body whose process died holds its slot until it is rescued; one that lives on as a zombie does
    # so outside of the count.
    if attempt is not None and attempt.is_rescue:
        overs.append(attempt.ended_at)
    over = min(overs, default=datetime.max.replace(tzinfo=start.at.tzinfo))
    return _Body(ticker_id=start.ticker_id, claim_no=start.claim_no, begun=start.at, over=over)


LIMIT_RULES = (limits_are_kept, limits_of_keys_are_kept)
