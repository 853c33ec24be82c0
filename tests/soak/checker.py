"""The rules that a history must keep, each a function that returns what breaks it."""

from collections.abc import Callable, Iterator

from tests.soak.attempt_rules import ATTEMPT_RULES
from tests.soak.chain_rules import CHAIN_RULES
from tests.soak.cron_rules import CRON_RULES
from tests.soak.history import History
from tests.soak.limit_rules import LIMIT_RULES
from tests.soak.recovery_rules import RECOVERY_RULES
from tests.soak.rollup_rules import ROLLUP_RULES
from tests.soak.run_rules import RUN_RULES
from tests.soak.start_rules import START_RULES
from tests.soak.time_rules import TIME_RULES
from tests.soak.violation import Violation

RULES: tuple[Callable[[History], Iterator[Violation]], ...] = (
    *RUN_RULES,
    *START_RULES,
    *ATTEMPT_RULES,
    *CHAIN_RULES,
    *CRON_RULES,
    *LIMIT_RULES,
    *TIME_RULES,
    *ROLLUP_RULES,
    *RECOVERY_RULES,
)


def check(history: History) -> list[Violation]:
    """Return everything in which a history breaks a rule."""
    return [violation for rule in RULES for violation in rule(history)]
