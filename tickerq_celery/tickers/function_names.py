"""Names of functions, and which of them have some texts."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionName:
    """The name of a function; or of a Celery task that a cron ticker starts, where not ``is_function``."""

    name: str
    is_function: bool


def having(names: Iterable[str], texts: Collection[str]) -> Sequence[str]:
    """Return the names that have all texts, in any case: one that is the first of them comes first.

    Then come those that begin with it, those of which a part behind a dot does, and the others.
    """
    wanted = [each.casefold() for each in texts]
    found = [name for name in names if all(each in name.casefold() for each in wanted)]
    first = wanted[0] if wanted else ""
    return sorted(found, key=lambda name: (_distance(name.casefold(), first), name))


def _distance(name: str, first: str) -> int:
    if name == first:
        return 0
    if name.startswith(first):
        return 1
    return 2 if f".{first}" in name else 3
