"""What the runs of one function with one concurrency key share."""

from dataclasses import dataclass

# No name holds a control character.
_SEPARATOR = "\x1f"


@dataclass(frozen=True, slots=True)
class Slot:
    """One function's runs with one concurrency key: they share its ``max_concurrency_per_key`` places."""

    function: str
    key: str

    @property
    def hold_key(self) -> str:
        """The key under which runs are held while all places are taken."""
        return f"{self.function}{_SEPARATOR}{self.key}"


def slot_of(function: str, concurrency_key: str | None) -> Slot | None:
    """Return where a run has its place, or None where it names no concurrency key."""
    return None if concurrency_key is None else Slot(function, concurrency_key)


def slot_held_under(hold_key: str) -> Slot:
    """Return the slot whose ``hold_key`` this is."""
    function, key = hold_key.split(_SEPARATOR, 1)
    return Slot(function, key)
