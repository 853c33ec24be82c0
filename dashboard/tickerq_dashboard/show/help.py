"""What can be done on the dashboard and who may do it, from the tables that the pages use."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tickerq_dashboard.access.roles import Permission, Permissions, roles_with
from tickerq_dashboard.show.actions import Action
from tickerq_dashboard.show.bulk import BulkVerb


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """An action in words: what its button says, what it does, and which roles may do it."""

    word: str
    about: str
    roles: tuple[str, ...]


# The pages with a form of their own, by the names of their routes.
FORMS: Mapping[str, tuple[str, str]] = {
    "new_run": ("New run", "Plans a time ticker, with children if you like."),
    "clone_run": ("Clone and edit", "Plans a new time ticker from a run, with another request or moment."),
    "edit_run": ("Edit run", "Changes a time ticker that waits."),
    "new_cron": ("New cron ticker", "Plans a function by a cron expression or an interval."),
    "edit_cron": ("Edit cron ticker", "Changes expression, zone, request or policies."),
    "backfill_cron": ("Backfill", "Adds the occurrences that are missing in a span of the past."),
    "ask_pause": ("Pause", "Pauses a function, a tag or everything: what is due is held."),
    "ask_resume": ("Resume", "Ends such a pause: what was held runs."),
    "export_runs": ("Export runs", "Sends what the filter of a list matches as CSV or JSON lines."),
    "export_audit": ("Export the audit", "Sends what its filter matches as CSV or JSON lines."),
}


def explained(actions: Iterable[Action[Any]], roles: Mapping[str, Permissions]) -> Iterator[Explained]:
    """Yield what each action of one object does, the main ones first."""
    for each in sorted(actions, key=lambda each: not each.is_main):
        yield Explained(word=each.word, about=each.about, roles=roles_with(each.permission, roles))


def explained_bulk(verbs: Iterable[BulkVerb], roles: Mapping[str, Permissions]) -> Iterator[Explained]:
    """Yield what each action on many runs does."""
    for each in verbs:
        yield Explained(word=each.word, about=each.effect, roles=roles_with(each.permission, roles))


def explained_forms(
    permissions: Mapping[str, Permission | None], roles: Mapping[str, Permissions]
) -> Iterator[Explained]:
    """Yield what each form does, with the permissions by the names of the routes."""
    for name, (word, about) in FORMS.items():
        yield Explained(word=word, about=about, roles=roles_with(permissions[name], roles))
