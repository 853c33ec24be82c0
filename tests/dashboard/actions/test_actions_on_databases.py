"""Pauses and bulk jobs from the pages, on each database: versions, moments and exclusions."""

from tests.dashboard.access.users import SECRET, by_role
from tests.dashboard.actions.forms import Person
from tests.dashboard.actions.many import act, asked, start, worked
from tests.dashboard.seeds import NOW, Seeds
from tickerq_celery import TickerStatus
from tickerq_dashboard import create_app

LATER = NOW.replace(year=2099)


def test_a_tag_is_paused_resumed_and_its_list_cancelled(store: Seeds) -> None:
    admin = Person(create_app(store.tickerq, auth=by_role, secret=SECRET).test_client())
    assert act(admin, "pause", "kind=tag&name=eu", reason="a move").status_code == 303
    assert act(admin, "resume", "kind=tag&name=eu").status_code == 303
    assert store.tickerq.pauses.find() == ()
    scheduled = store.run(execution_time=LATER, due_at=LATER, tags=["eu"])
    held = store.run(held_for="paused", hold_key="tag:eu", tags=["eu"])
    queued = store.run(status=TickerStatus.QUEUED, claim_no=1, tags=["eu"])
    other = store.run(status=TickerStatus.QUEUED, claim_no=1)
    assert start(admin, asked(admin, "/runs/active?tag=eu", "cancel"), "cancel").status_code == 303
    worked(store)
    ended = {each.id for each in store.tickerq.runs.find(status="cancelled")}
    assert ended == {held, queued}
    assert start(admin, asked(admin, "/runs/upcoming", "cancel"), "cancel").status_code == 303
    worked(store)
    assert store.tickerq.runs.get(scheduled).status is TickerStatus.CANCELLED
    assert store.tickerq.runs.get(other).status is TickerStatus.QUEUED
