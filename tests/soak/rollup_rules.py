"""What the roll-up must say once beats have counted all ends."""

from collections.abc import Iterator

from tests.soak.history import History
from tests.soak.violation import Rule, Violation


def ends_are_counted_once(history: History) -> Iterator[Violation]:
    """Each row of the roll-up is what the ended runs come to, whatever died while they were counted."""
    for key in sorted(history.rolled_up.keys() | history.recounted.keys()):
        said, right = history.rolled_up.get(key), history.recounted.get(key)
        if said != right:
            yield Violation(
                rule=Rule.ENDS_ARE_COUNTED_ONCE, subject=None, evidence=f"{key}: {said}, counted anew {right}"
            )


ROLLUP_RULES = (ends_are_counted_once,)
