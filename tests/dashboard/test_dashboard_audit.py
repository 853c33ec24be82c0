"""The audit's page: what changed, and how an entry is found."""

import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient

from tests.dashboard.conftest import BASE, PASSWORD, QUICK_HASH, Visitor, basic
from tests.dashboard.page_text import text_of
from tests.dashboard.seeds import Seeds
from tests.inner import new_id
from tickerq_celery import TickerStatus
from tickerq_celery.errors import TickerStateError
from tickerq_celery.tickers.audit import ObjectKind
from tickerq_celery.views import Actor
from tickerq_dashboard import create_app
from tickerq_dashboard.audit_filters import AUDITED
from tickerq_dashboard.show.audited import refused_words
from tickerq_dashboard.show.changes import NOTHING

ID = "01a22040-169f-7014-87a4-5da85ddcaa25"


class Refused(NamedTuple):
    object_id: str
    error: str | None


def rows_of(page: str) -> list[str]:
    return [
        text_of(f"<main>{row}")
        for row in re.findall(r"<tr>(.*?)</tr>", page.partition("<tbody>")[2], re.DOTALL)
    ]


def test_an_entry_says_what_differs_in_the_audit_and_on_its_object(visitor: Visitor, seeds: Seeds) -> None:
    cron_id = seeds.cron(expression="0 0 9 * * *")
    seeds.tickerq.cron_tickers.update(cron_id, expression="0 0 10 * * *", reason="later", allow_unknown=True)
    said = "expression 0 0 9 * * * → 0 0 10 * * *"
    [row] = rows_of(visitor.get("/audit").text)
    assert said in row
    assert said in text_of(visitor.get(f"/crons/{cron_id}").text)


def test_a_pause_says_its_reason_and_what_it_is_of_once(visitor: Visitor, seeds: Seeds) -> None:
    seeds.tickerq.pauses.pause(tag="crm", reason="Import of the new segments")
    [row] = rows_of(visitor.get("/audit").text)
    assert row.count("Import of the new segments") == 1
    assert row.count("crm") == 1


def test_jargon_of_fields_is_said_in_the_words_of_the_pages(visitor: Visitor, seeds: Seeds) -> None:
    cron_id = seeds.cron()
    seeds.tickerq.cron_tickers.update(cron_id, misfire="skip", allow_unknown=True)
    assert "missed instants (misfire) run once → skip" in text_of(visitor.get("/audit").text)


def test_of_several_objects_each_says_what_differs(visitor: Visitor, seeds: Seeds) -> None:
    runs = [seeds.run(status=TickerStatus.FAILED) for _ in range(2)]
    seeds.tickerq.runs.delete_batch(runs)
    [title] = re.findall(r'<td class="k-note two" title="([^"]*)"', visitor.get("/audit").text)
    assert all(f"{run_id.hex[-12:]} status Failed → {NOTHING}" in title for run_id in runs)


def test_statuses_durations_and_requests_are_said_in_words(visitor: Visitor, seeds: Seeds) -> None:
    core = seeds.tickerq
    running = seeds.run(
        status=TickerStatus.IN_PROGRESS, due_at=None, running_on=new_id(), started_at=seeds.now, claim_no=1
    )
    core.runs.cancel(running)
    core.runs.cancel(running, terminate=True)
    cron_id = seeds.cron()
    core.cron_tickers.update(
        cron_id, jitter=90, retry_intervals=[1, 60], priority="high", tags=["a", "b"], allow_unknown=True
    )
    said = [*rows_of(visitor.get("/audit").text), text_of(visitor.get(f"/crons/{cron_id}").text)]
    assert "Terminate run" in said[1]
    assert "asked to end → to be killed" in said[1]
    assert "Cancel run" in said[2]
    for each in (said[0], said[3]):
        assert "Edit cron ticker" in each
        for words in ("jitter 0 s → 1 min 30 s", "waits between 30 s → 1 s, 1 min", "→ high", "tags a, b"):
            assert words in each
    assert not any(raw in each for each in said for raw in ("runs.cancel", "cron_tickers.update"))


def test_ids_are_shortened_and_whole_where_one_points(visitor: Visitor, seeds: Seeds) -> None:
    run_id, cron_id = seeds.run(status=TickerStatus.FAILED), seeds.cron()
    seeds.tickerq.runs.retry(run_id)
    seeds.tickerq.cron_tickers.pause(cron_id)
    job = seeds.tickerq.bulk.start("retry", ids=[run_id])
    page = visitor.get("/audit").text
    for each, kind in ((run_id, "run"), (cron_id, "cron ticker"), (job.id, "bulk job")):
        assert re.search(rf'<a title="{each}" href="[^"]+">{kind} {each.hex[-12:]}</a>', page)
    assert not any(str(each) in text_of(page) for each in (run_id, cron_id, job.id))


def test_what_was_refused_has_changed_nothing_and_says_why_before_any_id(
    visitor: Visitor, seeds: Seeds
) -> None:
    acting = seeds.tickerq.acting_as(Actor("ann"))
    done, failed = seeds.run(status=TickerStatus.DONE), seeds.run(status=TickerStatus.FAILED)
    for _ in range(3):
        with pytest.raises(TickerStateError):
            acting.runs.retry(done, reason="the gateway is back")
    acting.runs.retry(failed, reason="it was down")
    page = visitor.get("/audit").text
    retried, refused = rows_of(page)
    assert f"Retry run ann it was down · run {failed.hex[-12:]} · status Failed → Idle 1" in retried
    said = "the gateway is back · it is Done: it cannot be retried"
    assert refused.endswith(f"Retry run refused 3 times ann {said} · run {done.hex[-12:]} ")
    [counts] = re.findall(r'<td class="k-att figure">(\d*)</td>', page)[1:]
    assert counts == ""
    own = text_of(visitor.get(f"/runs/{done}").text)
    assert "Retry run refused 3 times : the gateway is back it is Done: it cannot be retried" in own


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (f"ticker {ID} is InProgress: it cannot be released", "it is In progress: it cannot be released"),
        (f"ticker {ID} has changed since it was read", "it has changed since it was read"),
        (f"the pause of {ID} is over", f"the pause of {ID[-12:]} is over"),
        ("ticker_id: no such run", "ticker_id: no such run"),
        (None, ""),
    ],
)
def test_a_refusal_speaks_of_its_own_object_as_it(error: str | None, said: str) -> None:
    entry = Refused(object_id=ID, error=error)
    assert refused_words(entry) == said  # type: ignore[arg-type]  # as much of an entry as it reads


def test_a_bulk_job_says_which_runs_it_means_as_its_page_does(visitor: Visitor, seeds: Seeds) -> None:
    until = datetime(2026, 11, 1, tzinfo=UTC)
    seeds.tickerq.bulk.start("retry", status="failed", function_prefix="Send", ended_until=until)
    seeds.tickerq.bulk.start("retry", everything=True)
    seeds.tickerq.bulk.start("retry", ids=[seeds.run(status=TickerStatus.FAILED)])
    said = rows_of(visitor.get("/audit").text)
    assert "action retry, of 1 by id, runs as they were at" in said[0]
    assert "action retry, of all runs, runs as they were at" in said[1]
    words = "function begins Send, status Failed, ended before 2026-11-01 00:00 UTC"
    assert f"of {words}, runs as they were at" in said[2]
    assert words in text_of(visitor.get("/bulk").text)


def test_an_action_is_chosen_by_its_words_and_a_hosts_own_stays(visitor: Visitor, seeds: Seeds) -> None:
    seeds.tickerq.cron_tickers.pause(seeds.cron())
    page = visitor.get("/audit?action=cron_tickers.pause").text
    assert '<option value="cron_tickers.pause" selected>Pause cron ticker</option>' in page
    assert "action <b>Pause cron ticker</b>" in page
    assert len(rows_of(page)) == 1
    assert "<option selected>host.log_in</option>" in visitor.get("/audit?action=host.log_in").text


def test_entries_are_found_by_their_object_and_their_time(visitor: Visitor, seeds: Seeds) -> None:
    one, other = seeds.cron(), seeds.cron()
    for cron_id in (one, other):
        seeds.tickerq.cron_tickers.pause(cron_id)
    address = f"/audit?kind=cron_ticker&object={one}"
    assert len(rows_of(visitor.get(address).text)) == 1
    linked = visitor.get(f"/crons/{one}").text
    assert f'href="{BASE}{address.replace("&", "&amp;")}"' in linked
    later = quote((datetime.now(UTC) + timedelta(minutes=1)).isoformat())
    assert rows_of(visitor.get(f"/audit?since={later}").text) == []
    assert len(rows_of(visitor.get(f"/audit?until={later}").text)) == 2
    assert re.search(r"since=\d{4}-", visitor.get("/audit?from_text=2+h").headers["Location"])


def test_what_cannot_be_looked_for_is_said_and_no_entry_stands_below(visitor: Visitor, seeds: Seeds) -> None:
    seeds.tickerq.acting_as(Actor("ann")).cron_tickers.pause(seeds.cron())
    assert len(rows_of(visitor.get("/audit").text)) == 1
    unread = visitor.get("/audit?from_text=soon")
    assert (unread.status_code, rows_of(unread.text)) == (422, [])
    assert "Since: Write how long ago" in text_of(unread.text)
    assert "Nothing was searched. All entries" in text_of(unread.text)
    assert visitor.get("/audit?object=x").status_code == 400
    assert visitor.get("/audit?kind=weather").status_code == 400


def test_every_kind_that_the_audit_knows_can_be_looked_for() -> None:
    assert set(AUDITED) == {each.value for each in ObjectKind}


@pytest.mark.parametrize(("permissions", "has_link"), [(["audit.view"], True), ([], False)])
def test_who_may_not_see_the_audit_is_not_led_there(
    seeds: Seeds, permissions: list[str], *, has_link: bool
) -> None:
    cron_id = seeds.cron()
    seeds.tickerq.cron_tickers.pause(cron_id)
    app = create_app(
        seeds.tickerq, users={"ann": (QUICK_HASH, "viewer")}, permissions={"viewer": permissions}
    )
    client: FlaskClient = app.test_client()
    page = client.get(f"{BASE}/crons/{cron_id}", headers=basic("ann", PASSWORD)).text
    assert ("All in the audit" in page) is has_link


@pytest.mark.parametrize("kind", ["run", "cron_ticker"])
def test_what_was_deleted_says_who_did_it_and_why(visitor: Visitor, seeds: Seeds, kind: str) -> None:
    if kind == "run":
        path = f"/runs/{seeds.run(status=TickerStatus.FAILED)}"
        delete = seeds.tickerq.runs.delete
    else:
        path = f"/crons/{seeds.cron()}"
        delete = seeds.tickerq.cron_tickers.delete
    delete(path.rpartition("/")[2], reason="a <b>mistake</b>", by="ann")
    answer = visitor.get(path)
    said = text_of(answer.text)
    assert answer.status_code == 410
    name = "SendWelcomeEmail" if kind == "run" else "SendDailyDigest"
    assert f"The {kind.replace('_', ' ')} {name} was deleted ann deleted it" in said
    assert "a <b>mistake</b>" in said


def test_who_may_not_see_the_audit_finds_nothing_where_something_was_deleted(seeds: Seeds) -> None:
    run_id = seeds.run(status=TickerStatus.FAILED)
    seeds.tickerq.runs.delete(run_id)
    app = create_app(seeds.tickerq, users={"ann": (QUICK_HASH, "viewer")}, permissions={"viewer": []})
    client = app.test_client()
    assert client.get(f"{BASE}/runs/{run_id}", headers=basic("ann", PASSWORD)).status_code == 404
