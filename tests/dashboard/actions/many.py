"""A browser without script that pauses a scope, or does one thing to many runs of a list."""

from html import unescape
from uuid import UUID

from tests.dashboard.actions.forms import HIDDEN, Person
from tests.dashboard.conftest import BASE
from tests.dashboard.seeds import Seeds
from tests.integration.making import ListPublisher
from tickerq_celery.beat.bulk_runner import BulkRunner


def act(person: Person, verb: str, query: str, **fields: str):
    """Send the form of the page that asks."""
    path = f"/pauses/{verb}"
    form = person.forms(f"{path}?{query}")[path]
    return person.send(path, {**form, **fields})


def asked(person: Person, page: str, action: str, *, ids: list[UUID] | None = None):
    """Send the form of a list for what is ticked, or for all that match."""
    form: dict[str, object] = dict(person.forms(page)["/bulk/ask"])
    chosen = {"all": "1"} if ids is None else {"ids": [str(each) for each in ids]}
    return person.client.post(
        f"{BASE}/bulk/ask", data={**form, "action": action, **chosen}, headers={"X-Role": person.role}
    )


def fields_of(html: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in HIDDEN.findall(html.partition('<form class="ask"')[2]):
        found.setdefault(name, []).append(unescape(value))
    return found


def start(person: Person, answer, action: str, **fields: object):
    """Send the form of the page that says what will be done."""
    sent = {**fields_of(answer.text), **fields}
    return person.client.post(f"{BASE}/bulk/{action}", data=sent, headers={"X-Role": person.role})


def worked(seeds: Seeds) -> None:
    """Let a beat do all bulk jobs."""
    beat = BulkRunner(seeds.tickerq.core, ListPublisher())
    while not beat.step():
        pass
