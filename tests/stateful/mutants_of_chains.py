"""Mutants of what a parent's start and end do to its children."""

from tests.inner import chains as rules
from tests.stateful.mutant import CHECK, Mutant
from tests.stateful.rewriting import doing_nothing, keeping, without
from tests.statements import chains

_DECIDES = "its_parent_decides_on_it"

OF_CHAINS = (
    Mutant(chains.follow, "does nothing", doing_nothing([]), f"{_DECIDES}|stuck for ever", is_quick=True),
    Mutant(chains.follow, "keeps the reason", keeping("held_for"), "it_is_due_or_held_only_while_idle"),
    Mutant(
        chains.follow,
        "decides on what runs",
        without("held_for", "status"),
        f"{CHECK}due_at|only_what_waits_for_its_parent_is_skipped_unclaimed|the_end_is_the_end",
    ),
    Mutant(chains.start_beside, "does nothing", doing_nothing([]), _DECIDES),
    Mutant(rules.is_met, "takes any end", lambda _: lambda condition, status: True, _DECIDES, is_quick=True),
    Mutant(chains._skip, "leaves what waits", doing_nothing(None), _DECIDES),
)
