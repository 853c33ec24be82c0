"""All mutants."""

from tests.stateful.mutants_of_calls import OF_CALLS
from tests.stateful.mutants_of_chains import OF_CHAINS
from tests.stateful.mutants_of_claims import OF_CLAIMS
from tests.stateful.mutants_of_crons import OF_CRONS
from tests.stateful.mutants_of_ends import OF_ENDS
from tests.stateful.mutants_of_policies import OF_POLICIES
from tests.stateful.mutants_of_recovery import OF_RECOVERY
from tests.stateful.mutants_of_windows import OF_WINDOWS

# Equivalent, and therefore not among them, is the loss of these conditions, each for its reason:
# - the status in claim, hold, hold_pending, release, take_over and check_prefetched: their transaction has
#   locked rows by due_at, held_for or check_at, which are set in one status only;
# - the status in edit: its transaction has read the row before, and so it is Idle;
# - the reason in release: a key is of one reason, but for a function's name, and what is released too early
#   is held again by the next claim;
# - what advance has `seen`: its transaction holds the cron ticker's lock since it read the instant;
# - FOR UPDATE and SKIP LOCKED: the machine interleaves transactions, and never the statements of two.
MUTANTS = (
    *OF_CLAIMS,
    *OF_WINDOWS,
    *OF_ENDS,
    *OF_CHAINS,
    *OF_RECOVERY,
    *OF_CRONS,
    *OF_POLICIES,
    *OF_CALLS,
)
