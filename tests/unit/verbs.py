"""The verbs that a manager has for its users."""

import inspect
from collections.abc import Callable
from typing import Any

# How the manager's own transactions read; users have no transaction to pass.
INNER = {"got", "got_all", "reread"}


def verbs_of(manager: type) -> list[tuple[str, Callable[..., Any]]]:
    found = inspect.getmembers(manager, inspect.isfunction)
    return [(name, verb) for name, verb in found if not name.startswith("_") and name not in INNER]
