"""What is done to a cron ticker: by a form, once, with its entry in the audit, or refused."""

from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from tests.dashboard.actions.forms import Person
from tests.dashboard.conftest import BASE
from tests.dashboard.hostile import HOSTILE
from tests.dashboard.page_text import text_of
from tests.dashboard.seeds import NOW, Seeds
from tickerq_celery import TickerStatus, TickerType
from tickerq_celery.errors import TickerNotFoundError
from tickerq_dashboard.show.failing import failing_words

LATER = NOW.replace(year=2099, hour=9, minute=0)


def test_a_pause_has_who_and_why_and_is_undone_from_where_it_is_told(admin: Person, seeds: Seeds) -> None:
    cron_id = seeds.cron(next_run_at=LATER)
    page = f"/crons/{cron_id}"
    paused = admin.act(page, "pause", reason="the bank is shut")
    cron = seeds.tickerq.cron_tickers.get(cron_id)
    assert (paused.status_code, cron.is_enabled) == (303, False)
    assert (cron.paused_by, cron.paused_reason) == ("ann", "the bank is shut")
    [entry] = seeds.tickerq.audit.find(object_kind="cron_ticker", object_id=cron_id)
    assert (entry.action, entry.role, entry.via) == ("cron_tickers.pause", "admin", "dashboard")
    assert paused.location == f"{BASE}{page}?did={entry.id}"
    told = admin.get(paused.location).text
    assert "Paused SendDailyDigest ," in text_of(told)
    assert f'href="{BASE}{page}/resume">Resume cron ticker …</a></div>' in told
    assert admin.act(page, "resume", missed="1").status_code == 303
    assert seeds.tickerq.cron_tickers.get(cron_id).is_enabled


def test_a_resume_says_how_many_held_occurrences_start_and_how_many_were_released(
    admin: Person, seeds: Seeds
) -> None:
    cron_id = seeds.cron(is_enabled=False, paused_at=NOW)
    held = {"held_for": "paused", "hold_key": str(cron_id), "held_since": NOW, "due_at": None}
    seeds.runs([held] * 2)
    page = f"/crons/{cron_id}"
    asked = text_of(admin.get(f"{page}/resume").text)
    assert "one Skipped occurrence records them. 2 held runs start, where nothing else holds them." in asked
    assert "held run" not in text_of(admin.get(f"{page}/delete").text)
    done = admin.act(page, "resume")
    assert "Released 2 held runs." in text_of(admin.get(done.location).text)
    [entry] = seeds.tickerq.audit.find(object_kind="cron_ticker", object_id=cron_id)
    assert (entry.before["is_enabled"], entry.after["is_enabled"], entry.after["released"]) == (
        False,
        True,
        2,
    )


def test_a_resume_after_failures_says_the_last_error_and_that_it_may_be_paused_again(
    admin: Person, seeds: Seeds
) -> None:
    paused = {"is_enabled": False, "paused_at": NOW, "pause_on_failure": 3}
    cron_id = seeds.cron(paused_by="tickerq", **paused)
    error = {"exception_type": "ConnectionError", "exception_message": "the bank is shut"}
    occurrence = {"type": TickerType.CRON_TICKER_OCCURRENCE, "cron_ticker_id": cron_id}
    seeds.run(status=TickerStatus.FAILED, **occurrence, **error)
    page = f"/crons/{cron_id}/resume"
    asked = text_of(admin.get(page).text)
    assert "It failed last with ConnectionError: the bank is shut." in asked
    assert "it is paused again after 3 failures in a row" in asked
    [last] = seeds.tickerq.runs.history(cron_ticker_id=cron_id)
    unseen = failing_words(seeds.tickerq.cron_tickers.get(cron_id), last, may_see=False)
    assert unseen.startswith("It failed last with ConnectionError. ")
    by_ann = seeds.cron(paused_by="ann", **paused)
    assert "paused again" not in text_of(admin.get(f"/crons/{by_ann}/resume").text)


def test_it_runs_once_beside_its_schedule_however_often_the_form_is_sent(admin: Person, seeds: Seeds) -> None:
    cron_id = seeds.cron(is_enabled=False)
    page = f"/crons/{cron_id}"
    form = admin.forms(page)[f"{page}/run-now"]
    first, second = (admin.send(f"{page}/run-now", form) for _ in range(2))
    assert first.status_code == second.status_code == 303
    assert first.location == second.location
    [run] = seeds.tickerq.runs.find(cron_ticker_id=cron_id)
    assert run.created_by == "ann"
    [entry] = seeds.tickerq.audit.find(object_kind="cron_ticker", object_id=cron_id)
    assert str(entry.id) == form["operation_id"]
    assert "Run beside the schedule" in admin.get(first.location).text


def test_the_next_instant_is_skipped_and_taken_back(admin: Person, seeds: Seeds) -> None:
    cron_id = seeds.cron(next_run_at=LATER)
    page = f"/crons/{cron_id}"
    skipped = admin.act(page, "skip-next")
    assert skipped.status_code == 303
    assert seeds.tickerq.cron_tickers.get(cron_id).next_run_at > LATER
    [run] = seeds.tickerq.runs.find(cron_ticker_id=cron_id)
    assert run.status is TickerStatus.SKIPPED
    assert "Take the skip back …" in admin.get(skipped.location).text
    assert admin.act(page, "unskip-next").status_code == 303
    assert seeds.tickerq.cron_tickers.get(cron_id).next_run_at == LATER
    refused = admin.act(page, "unskip-next")
    assert refused.status_code == 409
    assert "without a skipped instant that is to come" in text_of(refused.text)


def test_one_that_was_edited_follows_its_code_again(admin: Person, seeds: Seeds) -> None:
    code = {"seed_time_zone": "UTC", "seed_day_or": False}
    cron_id = seeds.cron(next_run_at=LATER, expression="0 0 10 * * *", **code)
    page = f"/crons/{cron_id}"
    assert "0 0 9 * * *" in text_of(admin.get(f"{page}/revert").text)
    assert f'{page}/revert"' in admin.get(page).text
    reverted = admin.act(page, "revert")
    assert reverted.status_code == 303
    assert seeds.tickerq.cron_tickers.get(cron_id).expression == "0 0 9 * * *"
    assert f'{page}/revert"' not in admin.get(reverted.location).text


def test_a_deleted_cron_ticker_takes_its_occurrences_along(admin: Person, seeds: Seeds) -> None:
    cron_id = seeds.cron(next_run_at=LATER)
    admin.act(f"/crons/{cron_id}", "run-now")
    path = f"/crons/{cron_id}/delete"
    asked = text_of(admin.get(path).text)
    assert "All of its occurrences" in asked
    assert "Code defines it" in asked
    form = admin.forms(path)[path]
    first, second = (admin.send(path, form) for _ in range(2))
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.location == f"{BASE}/crons?did={form['operation_id']}"
    with pytest.raises(TickerNotFoundError):
        seeds.tickerq.cron_tickers.get(cron_id)
    assert "Deleted SendDailyDigest ," in text_of(admin.get(first.location).text)


@pytest.mark.parametrize(
    ("action", "is_enabled", "sentence"),
    [
        ("pause", False, "Not paused: the cron ticker is paused by ben since"),
        ("resume", True, "Not resumed: the cron ticker is enabled, last changed at "),
        ("skip-next", False, "Not skipped the next run: the cron ticker is paused by ben"),
    ],
)
def test_what_the_state_does_not_allow_is_not_offered_and_says_why(
    admin: Person, seeds: Seeds, action: str, is_enabled: bool, sentence: str
) -> None:
    paused = {} if is_enabled else {"paused_by": "ben", "paused_at": NOW}
    cron_id = seeds.cron(is_enabled=is_enabled, next_run_at=LATER if is_enabled else None, **paused)
    assert action not in admin.offers(f"/crons/{cron_id}")
    asked = admin.get(f"/crons/{cron_id}/{action}")
    assert asked.status_code == 409
    assert sentence in text_of(asked.text)


def test_a_cron_ticker_that_was_paused_meanwhile_has_nothing_to_skip(admin: Person, seeds: Seeds) -> None:
    cron_id = seeds.cron(next_run_at=LATER)
    path = f"/crons/{cron_id}/skip-next"
    form = admin.forms(f"/crons/{cron_id}")[path]
    seeds.tickerq.cron_tickers.pause(cron_id, by="ben")
    refused = admin.send(path, form)
    assert refused.status_code == 409
    assert "the cron ticker is paused by ben since" in text_of(refused.text)


def test_what_changed_after_it_was_shown_is_not_touched(admin: Person, seeds: Seeds) -> None:
    cron_id = seeds.cron(next_run_at=LATER)
    path = f"/crons/{cron_id}/delete"
    form = admin.forms(path)[path]
    seeds.tickerq.cron_tickers.pause(cron_id, by="ben")
    refused = admin.send(path, form)
    assert refused.status_code == 409
    assert "Not deleted: it has changed since you saw it" in text_of(refused.text)
    assert seeds.tickerq.cron_tickers.get(cron_id).id == cron_id


@pytest.mark.parametrize(
    ("role", "offers"),
    [
        ("viewer", set()),
        ("operator", {"pause", "skip-next", "run-now", "backfill"}),
        ("admin", {"pause", "skip-next", "run-now", "delete", "edit", "backfill"}),
    ],
)
def test_a_page_offers_what_the_role_may_do(
    client: FlaskClient, seeds: Seeds, role: str, offers: set[str]
) -> None:
    page = f"/crons/{seeds.cron(next_run_at=LATER)}"
    assert Person(client, role).offers(page) == offers
    form = Person(client).forms(page)[f"{page}/run-now"]
    expected = 303 if "run-now" in offers else 403
    assert Person(client, role).send(f"{page}/run-now", form).status_code == expected
    assert Person(client).send(f"{page}/pause", {"csrf_token": form["csrf_token"]}).status_code == 403


def test_what_the_store_holds_is_only_text_where_an_action_asks(admin: Person, seeds: Seeds) -> None:
    cron_id = seeds.cron(
        function=HOSTILE, description=HOSTILE, is_enabled=False, paused_by=HOSTILE, paused_at=NOW
    )
    for action in ("delete", "pause"):
        page = admin.get(f"/crons/{cron_id}/{action}").text
        assert "&lt;img/src" in page
        assert "<img/src" not in page
    assert admin.get(f"/crons/{uuid4()}/delete").status_code == 404
