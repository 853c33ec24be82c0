"""What is paused beyond single cron tickers: by a form, once, with its entry in the audit, or refused."""

import pytest
from flask.testing import FlaskClient

from tests.dashboard.actions.forms import Person
from tests.dashboard.actions.many import act
from tests.dashboard.conftest import BASE
from tests.dashboard.hostile import HOSTILE
from tests.dashboard.page_text import text_of
from tests.dashboard.seeds import NOW, Seeds
from tickerq_celery import TickerStatus
from tickerq_dashboard.show.pausing import held_words

LATER = NOW.replace(year=2099)
SCOPES = {
    "function": ("kind=function&name=Send", {"function": "Send"}, "function Send"),
    "tag": ("kind=tag&name=eu", {"tag": "eu"}, "tag eu"),
    "everything": ("kind=everything", {"everything": True}, "everything"),
}


@pytest.mark.parametrize("kind", SCOPES)
def test_it_is_paused_and_resumed_with_who_and_why(admin: Person, seeds: Seeds, kind: str) -> None:
    query, _, words = SCOPES[kind]
    seeds.run(function="Send", tags=["eu"], execution_time=LATER, due_at=LATER)
    seeds.run(function="Send", tags=["eu"], status=TickerStatus.QUEUED)
    seeds.cron(function="Send", tags=["eu"], next_run_at=LATER)
    asked = text_of(admin.get(f"/pauses/pause?{query}").text)
    assert f"Pause {words}?" in asked
    assert "Now that is 1 cron ticker and 1 run not yet claimed. What is claimed goes on: 1 run." in asked
    paused = act(admin, "pause", query, reason="the mail server moves")
    [pause] = seeds.tickerq.pauses.find()
    assert (pause.kind, pause.paused_by, pause.reason) == (kind, "ann", "the mail server moves")
    [entry] = seeds.tickerq.audit.find(object_kind=kind)
    assert (entry.action, entry.role, entry.via) == ("pauses.pause", "admin", "dashboard")
    where = "/functions/Send" if kind == "function" else "/pauses"
    assert (paused.status_code, paused.location) == (303, f"{BASE}{where}?did={entry.id}")
    told = text_of(admin.get(paused.location).text)
    assert f"Paused {words}" in told
    assert f"{words[0].upper()}{words[1:]} is paused by ann since" in told
    asked = text_of(admin.get(f"/pauses/resume?{query}").text)
    assert "by ann since" in asked
    assert "one Skipped occurrence" in asked
    resumed = act(admin, "resume", query, missed="1", reason="it is back")
    assert resumed.status_code == 303
    assert seeds.tickerq.pauses.find() == ()
    assert f"Resumed {words}" in text_of(admin.get(resumed.location).text)
    latest = next(iter(seeds.tickerq.audit.find(object_kind=kind, limit=1)))
    assert (latest.action, latest.reason) == ("pauses.resume", "it is back")


@pytest.mark.parametrize("kind", SCOPES)
def test_a_resume_says_how_many_held_runs_start_and_afterwards_how_many_were_released(
    admin: Person, seeds: Seeds, kind: str
) -> None:
    query, scope, words = SCOPES[kind]
    seeds.tickerq.pauses.pause(**scope, allow_unknown=True)
    path = f"/pauses/resume?{query}"
    assert "No run is held. Cron tickers fire" in text_of(admin.get(path).text)
    [pause] = seeds.tickerq.pauses.find()
    held = {"held_for": "paused", "held_since": NOW, "due_at": None}
    seeds.runs([{**held, "hold_key": pause.key}])
    assert "1 held run starts, where nothing else holds it." in text_of(admin.get(path).text)
    seeds.runs([{**held, "hold_key": pause.key}] * 2 + [{**held, "hold_key": "function:Other"}])
    asked = text_of(admin.get(path).text)
    assert "3 held runs start, where nothing else holds them. Cron tickers fire" in asked
    resumed = act(admin, "resume", query)
    told = text_of(admin.get(resumed.location).text)
    assert f"Resumed {words}" in told
    assert "Released 3 held runs." in told
    assert seeds.tickerq.runs.count(held_for="paused") == 1
    [entry] = seeds.tickerq.audit.find(action="pauses.resume")
    assert entry.after == {"released": 3}


def test_more_held_runs_than_are_counted_are_said_to_be_more() -> None:
    assert held_words(10_000, 10_000) == "10,000+ held runs start, where nothing else holds them."
    assert held_words(None, 10_000) == "The held runs start, where nothing else holds them."


STILL = "does not run after this, because"


def test_before_a_resume_the_other_pauses_of_the_same_are_named(admin: Person, seeds: Seeds) -> None:
    seeds.run(function="Send", tags=["eu", "mail"], execution_time=LATER, due_at=LATER)
    cron_id = seeds.cron(function="Send", is_enabled=False, tags=["eu"], paused_at=NOW)
    pauses = seeds.tickerq.pauses
    pauses.pause(tag="eu", by="ben", reason="the move")
    pauses.pause(tag="us")
    pauses.pause(function="Other", allow_unknown=True)
    pauses.pause(function="Send", allow_unknown=True)
    pages = {
        kind: text_of(admin.get(f"/pauses/resume?{query}").text) for kind, (query, _, _) in SCOPES.items()
    }
    del pages["everything"]
    others = {"function": "Tag eu is paused by ben since", "tag": "Function Send is paused since"}
    for kind, page in pages.items():
        named = page.partition(f"Some of it {STILL}")[2].partition("Reason")[0]
        assert others[kind] in named
        assert "1 cron ticker is paused on its own" in named
        assert "Tag us" not in named
        assert "Function Other" not in named
    assert "the move" in pages["function"]
    asked = text_of(admin.get(f"/crons/{cron_id}/resume").text)
    assert "It does not run after this, because" in asked
    pauses.pause(everything=True)
    asked = text_of(admin.get("/pauses/resume?kind=function&name=Send").text)
    assert f"It {STILL}" in asked
    assert "Everything is paused since" in asked
    asked = text_of(admin.get("/pauses/resume?kind=everything").text)
    assert all(each in asked for each in (f"Some of it {STILL}", "Tag us", "Function Other", "1 cron ticker"))


def test_where_nothing_else_is_paused_a_resume_names_nothing(admin: Person, seeds: Seeds) -> None:
    seeds.cron(function="Send")
    seeds.tickerq.pauses.pause(function="Send")
    assert STILL not in text_of(admin.get("/pauses/resume?kind=function&name=Send").text)


def test_a_form_that_is_sent_twice_pauses_once(admin: Person, seeds: Seeds) -> None:
    form = admin.forms("/pauses/pause?kind=tag&name=eu")["/pauses/pause"]
    first, second = (admin.send("/pauses/pause", form) for _ in range(2))
    assert (first.status_code, first.location) == (second.status_code, second.location)
    assert len(list(seeds.tickerq.audit.find(object_kind="tag"))) == 1


@pytest.mark.parametrize("kind", SCOPES)
def test_what_is_paused_already_says_by_whom(admin: Person, seeds: Seeds, kind: str) -> None:
    query, scope, words = SCOPES[kind]
    seeds.tickerq.pauses.pause(**scope, by="ben", allow_unknown=True)
    refused = admin.get(f"/pauses/pause?{query}")
    assert refused.status_code == 409
    assert f"Not paused: {words} is paused by ben since" in text_of(refused.text)


@pytest.mark.parametrize("kind", SCOPES)
def test_what_is_not_paused_cannot_be_resumed(admin: Person, seeds: Seeds, kind: str) -> None:
    query, scope, words = SCOPES[kind]
    asked = admin.get(f"/pauses/resume?{query}")
    assert (asked.status_code, f"Not resumed: {words} is not paused." in text_of(asked.text)) == (409, True)
    seeds.tickerq.pauses.pause(**scope, allow_unknown=True)
    form = admin.forms(f"/pauses/resume?{query}")["/pauses/resume"]
    seeds.tickerq.pauses.resume(**scope)
    refused = admin.send("/pauses/resume", form)
    assert refused.status_code == 409
    assert f"Not resumed: {words} is not paused." in text_of(refused.text)


def test_a_pause_that_another_one_took_the_place_of_is_not_ended(admin: Person, seeds: Seeds) -> None:
    seeds.tickerq.pauses.pause(tag="eu", by="ben", reason="one")
    form = admin.forms("/pauses/resume?kind=tag&name=eu")["/pauses/resume"]
    seeds.tickerq.pauses.resume(tag="eu")
    seeds.tickerq.pauses.pause(tag="eu", by="eve", reason="two")
    refused = admin.send("/pauses/resume", form)
    assert refused.status_code == 409
    assert "it has changed since you saw it, and tag eu is paused by eve since" in text_of(refused.text)
    assert len(seeds.tickerq.pauses.find()) == 1


def test_a_function_that_nothing_knows_is_refused(admin: Person, seeds: Seeds) -> None:
    refused = act(admin, "pause", "kind=function&name=Sned")
    assert refused.status_code == 422
    assert "no worker ever registered function Sned" in text_of(refused.text)
    assert seeds.tickerq.pauses.find() == ()


@pytest.mark.parametrize(
    "fields", [{"kind": "tag"}, {"kind": "everything", "name": "eu"}, {"kind": "host", "name": "eu"}]
)
def test_what_is_no_scope_is_refused(admin: Person, seeds: Seeds, fields: dict[str, str]) -> None:
    token = admin.forms("/pauses/pause")["/pauses/pause"]["csrf_token"]
    assert admin.send("/pauses/pause", {"csrf_token": token, **fields}).status_code == 422
    query = "&".join(f"{name}={value}" for name, value in fields.items())
    assert admin.get(f"/pauses/pause?{query}").status_code == 400
    assert seeds.tickerq.pauses.find() == ()


def test_what_a_resume_does_with_missed_instants_is_said_with_the_term_for_them(
    admin: Person, seeds: Seeds
) -> None:
    cron_id = seeds.cron(is_enabled=False, paused_at=NOW)
    seeds.tickerq.pauses.pause(tag="eu")
    for path, whose in (
        (f"/crons/{cron_id}/resume", "its policy"),
        ("/pauses/resume?kind=tag&name=eu", "the policies"),
    ):
        assert (
            f"Let {whose} for missed instants (misfire) decide about the instants missed"
            in admin.get(path).text
        )


def test_the_banner_says_first_that_everything_is_paused_and_as_soon_as_it_is_not(
    admin: Person, seeds: Seeds
) -> None:
    seeds.cron(is_enabled=False, paused_at=NOW, paused_by="ben")
    paused = act(admin, "pause", "kind=everything", reason="an incident")
    page = admin.get(paused.location).text
    banner = page.partition('class="health')[2].partition("</section>")[0]
    resumed = act(admin, "resume", "kind=everything")
    assert "by ann: an incident" in banner
    assert "paused" not in admin.get(resumed.location).text.partition('class="health')[2].partition("</p>")[0]


def test_pauses_are_offered_where_functions_and_tags_are_shown(client: FlaskClient, seeds: Seeds) -> None:
    seeds.run(function="Send", tags=["eu"])
    cron_id = seeds.cron(function="Send", tags=["eu"], next_run_at=LATER)
    shown = {"/functions/Send", "/runs/active?tag=eu", "/crons?tag=eu"}
    operator, viewer = Person(client, "operator"), Person(client, "viewer")
    for path in shown:
        assert f"{BASE}/pauses/pause?kind=" in operator.get(path).text, path
        assert "/pauses/pause" not in viewer.get(path).text, path
    seeds.tickerq.pauses.pause(tag="eu", by="ben", reason="a move")
    seeds.tickerq.pauses.pause(function="Send", by="ben")
    client.get(BASE + "/?did=1b4e28ba-2fa1-11d2-883f-0016d3cca427", headers={"X-Role": "admin"})
    for path in (*shown, "/pauses", f"/crons/{cron_id}"):
        assert f"{BASE}/pauses/resume?kind=" in operator.get(path).text, path
        assert "/pauses/resume" not in viewer.get(path).text, path
    assert "Pauses (2)" in text_of(viewer.get("/functions").text)
    assert "Tag eu is paused by ben since" in text_of(viewer.get(f"/crons/{cron_id}").text)


def test_a_viewer_pauses_nothing(client: FlaskClient, seeds: Seeds) -> None:
    form = Person(client, "operator").forms("/pauses/pause")["/pauses/pause"]
    assert Person(client, "viewer").send("/pauses/pause", form).status_code == 403
    assert Person(client, "viewer").get("/pauses/pause").status_code == 403
    assert seeds.tickerq.pauses.find() == ()


def test_a_name_is_only_text_where_a_pause_is_asked_for_and_shown(admin: Person, seeds: Seeds) -> None:
    tag = "<img/src>"
    seeds.cron(function=HOSTILE, tags=[tag])
    seeds.tickerq.pauses.pause(tag=tag, by=HOSTILE, reason=HOSTILE)
    for path in ("/pauses", "/crons", "/pauses/resume?kind=tag&name=%3Cimg/src%3E"):
        page = admin.get(path).text
        assert "&lt;img/src" in page
        assert "<img/src" not in page
