"""The table of acts has all that changes something: each verb, each command, and each row of the API."""

import re
from collections.abc import Iterator

import click

from tests.surfaces.acts import ACTS
from tests.unit.verbs import MANAGERS, changing_verbs
from tickerq_celery.cli.own_commands import OWN
from tickerq_celery.typing import Managers
from tickerq_dashboard.api.reading_routes import ROOT
from tickerq_dashboard.api.routes import API_ROUTES

OTHER_VERBS = {
    "audit.record": "an entry of the host's own, and no change",
    "stats.rebuild": "about hours, which no API has",
}
OTHER_COMMANDS = {
    "bulk list": "a look",
    "bulk show": "a look",
    "hand-back": "about all that the store has, before it is given up",
    "import-beat": "many cron tickers by cron_tickers.add, each with its entry",
    "import-django-celery-beat": "the same",
    "migrate": "about the store",
    "prune": "about the store",
    "rollup": "about hours, which no API has",
    "seed": "what workers do when they start",
}
OTHER_ROUTES = {
    "POST /bulk/delete": "as POST /bulk/cancel",
    "POST /bulk/retry": "as POST /bulk/cancel",
    "POST /crons/preview": "a look",
    "POST /payload/validate": "a look",
}


def changing_commands() -> Iterator[str]:
    """Yield the commands of the rooms where commands act."""
    for name, place in OWN.items():
        if place.module.startswith("tickerq_celery.cli.changing."):
            command = place.load()
            inner = command.commands if isinstance(command, click.Group) else None
            yield from [name] if inner is None else [f"{name} {each}" for each in inner]


def test_each_act_has_a_name_of_its_own() -> None:
    names = [act.name for act in ACTS]
    assert sorted(set(names)) == sorted(names)


def test_all_managers_are_looked_through() -> None:
    found = {name for name in vars(Managers) if not name.startswith("_")}
    assert found - {"aio", "schedule"} == set(MANAGERS)


def test_each_verb_is_an_act_or_a_read_or_says_why_not() -> None:
    assert set(changing_verbs()) == {act.verb for act in ACTS} | set(OTHER_VERBS)


def test_each_command_that_changes_something_is_an_act_or_says_why_not() -> None:
    said = {
        act.words.partition(" {0}")[0] if act.words.startswith("bulk ") else act.words.split()[0]
        for act in ACTS
        if act.words
    }
    assert set(changing_commands()) == said | set(OTHER_COMMANDS)


def test_each_row_of_the_api_that_changes_something_is_an_act_or_says_why_not() -> None:
    rows = {
        f"{each.method} {re.sub(r'<[^>]*>', '{0}', each.path.removeprefix(ROOT))}": each.audit
        for each in API_ROUTES
        if each.is_unsafe
    }
    acts = {act.route: act.verb for act in ACTS if act.route is not None}
    assert set(rows) == set(acts) | set(OTHER_ROUTES)
    # As what it has a refusal by the role.
    assert {row: rows[row] for row in acts} == acts
