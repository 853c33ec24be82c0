"""What is done to cron tickers that were ticked in their list: said before, done once, told after."""

from html import unescape
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient

from tests.dashboard.actions.forms import HIDDEN, Person
from tests.dashboard.actions.many import fields_of
from tests.dashboard.conftest import BASE
from tests.dashboard.page_text import text_of
from tests.dashboard.seeds import NOW, Seeds
from tickerq_celery.errors import TickerNotFoundError

LATER = NOW.replace(year=2099)


def asked(person: Person, action: str, ids: list[UUID], page: str = "/crons"):
    """Tick cron tickers in their list, and press a button below it."""
    form: dict[str, object] = dict(person.forms(page)["/crons/ask"])
    return person.send("/crons/ask", {**form, "action": action, "ids": [str(each) for each in ids]})


def sent(person: Person, answer, action: str, **fields: object):
    """Send the form of the page that asks."""
    return person.send(f"/crons/{action}", {**fields_of(answer.text), **fields})


def enabled(seeds: Seeds) -> set[UUID]:
    return {each.id for each in seeds.tickerq.cron_tickers.iterate(is_enabled=True)}


def test_what_is_ticked_is_paused_and_the_rest_is_not(admin: Person, seeds: Seeds) -> None:
    one, two, other = (seeds.cron(next_run_at=LATER) for _ in range(3))
    paused = seeds.cron(function="SendReport", is_enabled=False, paused_by="ben", paused_at=NOW)
    assert admin.get("/crons").text.count("name=ids") == 4
    answer = asked(admin, "pause", [one, two, paused])
    said = text_of(answer.text)
    assert "Pause 2 cron tickers?" in said
    assert "is paused already" in said
    assert f'href="{BASE}/crons/{paused}"' in answer.text
    done = sent(admin, answer, "pause", reason="a move")
    assert done.status_code == 303
    assert enabled(seeds) == {other}
    [entry] = seeds.tickerq.audit.find(action="cron_tickers.pause_batch")
    assert (entry.actor, entry.via, entry.reason, set(entry.ids)) == (
        "ann",
        "dashboard",
        "a move",
        {one, two},
    )
    assert done.location == f"{BASE}/crons?did={entry.id}"
    told = text_of(admin.get(done.location).text)
    assert "Paused 2 cron tickers" in told
    assert "Left as they are, 1: it is paused already by ben." in told
    audit = text_of(admin.get("/audit").text)
    assert "it is paused already by ben" in audit


def test_those_of_one_function_are_told_apart_before_they_are_deleted(admin: Person, seeds: Seeds) -> None:
    rates = [seeds.cron(description=f"EUR to {each}") for each in ("USD", "GBP")]
    said = text_of(asked(admin, "delete", rates).text)
    assert ("EUR to USD" in said, "EUR to GBP" in said) == (True, True)


def test_what_is_paused_is_resumed_and_the_list_keeps_its_filter(admin: Person, seeds: Seeds) -> None:
    one, two = (seeds.cron(is_enabled=False, paused_at=NOW, tags=["eu"]) for _ in range(2))
    answer = asked(admin, "resume", [one, two], page="/crons?tag=eu&state=paused")
    assert 'name="missed" value="1">Let their policies for missed instants (misfire) decide' in answer.text
    done = sent(admin, answer, "resume", missed="1")
    assert done.status_code == 303
    assert "tag=eu" in done.location
    assert enabled(seeds) == {one, two}
    assert "Resumed 2 cron tickers" in text_of(admin.get(done.location).text)


def test_a_resume_of_several_says_how_many_held_runs_start_and_were_released(
    admin: Person, seeds: Seeds
) -> None:
    one, two, fires = (
        seeds.cron(is_enabled=False, paused_at=NOW),
        seeds.cron(is_enabled=False, paused_at=NOW),
        seeds.cron(next_run_at=LATER),
    )
    for cron_id, number in ((one, 1), (two, 2), (fires, 4)):
        held = {"held_for": "paused", "hold_key": str(cron_id), "held_since": NOW, "due_at": None}
        seeds.runs([held] * number)
    answer = asked(admin, "resume", [one, two, fires])
    assert "3 held runs start, where nothing else holds them." in text_of(answer.text)
    done = sent(admin, answer, "resume")
    assert "Released 3 held runs." in text_of(admin.get(done.location).text)
    assert seeds.tickerq.runs.count(held_for="paused") == 4


def test_a_form_that_is_sent_twice_deletes_once_and_leads_to_the_same_page(
    admin: Person, seeds: Seeds
) -> None:
    one, two, kept = (seeds.cron(next_run_at=LATER) for _ in range(3))
    answer = asked(admin, "delete", [one, two])
    assert "What code defines is there again" in text_of(answer.text)
    first, second = (sent(admin, answer, "delete") for _ in range(2))
    assert (first.status_code, first.location) == (303, second.location)
    assert [each.id for each in seeds.tickerq.cron_tickers.iterate()] == [kept]
    with pytest.raises(TickerNotFoundError):
        seeds.tickerq.cron_tickers.get(one)
    assert "Deleted 2 cron tickers" in text_of(admin.get(first.location).text)


def test_what_is_ticked_runs_once_now(admin: Person, seeds: Seeds) -> None:
    one, paused = seeds.cron(), seeds.cron(is_enabled=False)
    seeds.cron()
    answer = asked(admin, "run_now", [one, paused])
    assert "Run 2 cron tickers now?" in text_of(answer.text)
    first, second = (sent(admin, answer, "run-now") for _ in range(2))
    assert (first.status_code, first.location) == (303, second.location)
    runs = seeds.tickerq.runs.find()
    assert {each.cron_ticker_id for each in runs} == {one, paused}
    assert len(runs) == 2
    assert "Started a run of 2 cron tickers" in text_of(admin.get(first.location).text)


def test_one_that_changed_meanwhile_is_named_and_none_is_paused(admin: Person, seeds: Seeds) -> None:
    one, two = seeds.cron(), seeds.cron(function="SendReport")
    answer = asked(admin, "pause", [one, two])
    seeds.tickerq.cron_tickers.update(two, retries=2, allow_unknown=True)
    refused = sent(admin, answer, "pause")
    assert refused.status_code == 409
    said = text_of(refused.text)
    assert "Not paused: SendReport has changed since you saw it, and the cron ticker is enabled" in said
    assert enabled(seeds) == {one, two}


@pytest.mark.parametrize(
    ("action", "status", "sentence"),
    [
        ("pause", 409, "Not paused: none of them is enabled."),
        ("resume", 422, "Not resumed: no cron ticker is ticked."),
    ],
)
def test_nothing_to_do_is_said(admin: Person, seeds: Seeds, action: str, status: int, sentence: str) -> None:
    paused = seeds.cron(is_enabled=False)
    answer = asked(admin, action, [paused] if action == "pause" else [])
    assert (answer.status_code, sentence in text_of(answer.text)) == (status, True)


def test_those_that_are_gone_are_counted_before_and_refused_alone(admin: Person, seeds: Seeds) -> None:
    one, gone = seeds.cron(), uuid4()
    assert "1 ticked cron ticker no longer exists" in text_of(asked(admin, "delete", [one, gone]).text)
    answer = asked(admin, "delete", [gone])
    assert (answer.status_code, "none of them exists any more" in answer.text) == (409, True)


def test_who_may_not_is_offered_nothing_and_refused(client: FlaskClient, seeds: Seeds) -> None:
    cron_id = seeds.cron()
    viewer, operator = Person(client, "viewer"), Person(client, "operator")
    assert "name=ids" not in viewer.get("/crons").text
    offered = operator.get("/crons").text
    assert 'value="pause"' in offered
    assert 'value="delete"' not in offered
    refused = asked(operator, "delete", [cron_id])
    assert (refused.status_code, enabled(seeds)) == (403, {cron_id})


def test_a_form_that_names_versions_of_fewer_is_refused(admin: Person, seeds: Seeds) -> None:
    one, two = seeds.cron(), seeds.cron()
    answer = asked(admin, "pause", [one, two])
    versions = [unescape(value) for name, value in HIDDEN.findall(answer.text) if name == "expected"]
    assert len(versions) == 2
    assert sent(admin, answer, "pause", expected=versions[:1]).status_code == 422
    assert enabled(seeds) == {one, two}
