"""What is done to a run: by a form, once, with its entry in the audit, or refused with its present state."""

import re
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient

from tests.dashboard.actions.forms import Person
from tests.dashboard.conftest import BASE
from tests.dashboard.hostile import HOSTILE
from tests.dashboard.page_text import text_in, text_of
from tests.dashboard.seeds import NOW, Seeds, settle
from tests.inner import FunctionLimits
from tests.integration.apps import join
from tests.tables import nodes, progress
from tickerq_celery import TickerStatus, TickerType
from tickerq_celery.enums import NodeKind
from tickerq_celery.errors import TickerNotFoundError
from tickerq_celery.store.database.batches import insert_rows


def lost(seeds: Seeds) -> UUID:
    """A run on a node that nothing knows."""
    return seeds.run(status=TickerStatus.IN_PROGRESS, claim_no=1, started_at=NOW, lock_holder="worker-9")


def waiting_late(seeds: Seeds) -> UUID:
    return seeds.run(execution_time=NOW.replace(year=2099), due_at=NOW.replace(year=2099))


@pytest.mark.parametrize(
    ("action", "before", "after", "verb", "told"),
    [
        ("retry", TickerStatus.FAILED, TickerStatus.IDLE, "runs.retry", "Retried"),
        ("retry", TickerStatus.CANCELLED, TickerStatus.IDLE, "runs.retry", "Retried"),
        ("retry", TickerStatus.SKIPPED, TickerStatus.IDLE, "runs.retry", "Retried"),
        ("cancel", TickerStatus.IDLE, TickerStatus.CANCELLED, "runs.cancel", "Cancelled"),
        ("cancel", TickerStatus.QUEUED, TickerStatus.CANCELLED, "runs.cancel", "Cancelled"),
        ("cancel", TickerStatus.IN_PROGRESS, TickerStatus.IN_PROGRESS, "runs.cancel", "Asked to end"),
    ],
)
def test_an_action_changes_the_row_and_leaves_its_entry_under_the_forms_id(
    admin: Person,
    seeds: Seeds,
    action: str,
    before: TickerStatus,
    after: TickerStatus,
    verb: str,
    told: str,
) -> None:
    run_id = seeds.run(status=before, claim_no=1)
    page = f"/runs/{run_id}"
    admin.get(page)
    done = admin.act(page, action, reason="the bank is back")
    assert done.status_code == 303
    run = seeds.tickerq.runs.get(run_id)
    assert run.status is after
    assert run.cancel_requested is (told == "Asked to end")
    [entry] = seeds.tickerq.audit.find(object_kind="run", object_id=run_id)
    assert (entry.action, entry.actor, entry.role, entry.via) == (verb, "ann", "admin", "dashboard")
    assert entry.reason == "the bank is back"
    assert done.location == f"{BASE}{page}?did={entry.id}"
    shown = admin.get(done.location).text
    assert 'class="flash" role="status"' in shown
    assert f"{told} {run.function} ," in text_of(shown)


def test_a_run_that_waits_for_its_moment_runs_now(admin: Person, seeds: Seeds) -> None:
    run_id = waiting_late(seeds)
    function = seeds.tickerq.runs.get(run_id).function
    join(seeds.tickerq, NodeKind.WORKER, functions={function: FunctionLimits()}, definitions={function: "d1"})
    done = admin.act(f"/runs/{run_id}", "run-now")
    assert done.status_code == 303
    assert seeds.tickerq.runs.get(run_id).execution_time.year < 2099
    [entry] = seeds.tickerq.audit.find(object_kind="run", object_id=run_id)
    assert entry.action == "time_tickers.run_now"
    assert "Started ahead of its time" in admin.get(done.location).text


def test_a_held_run_that_is_to_run_now_says_what_it_still_waits_for(admin: Person, seeds: Seeds) -> None:
    seeds.tickerq.pauses.pause(everything=True)
    run_id = seeds.run(
        execution_time=NOW, due_at=None, held_for="paused", hold_key="everything", held_since=NOW
    )
    page = f"/runs/{run_id}"
    done = admin.act(page, "run-now")
    said = text_of(admin.get(done.location).text)
    assert "Started ahead of its time" not in said
    assert "Made due now, and not started yet SendWelcomeEmail ," in said
    assert "Waits for the end of the pause of everything" in said.partition("Why does it not run?")[0]
    assert "starts once nothing holds it" in text_of(admin.get(f"{page}/run-now").text)
    assert seeds.tickerq.runs.get(run_id).execution_time == NOW


@pytest.mark.parametrize(
    ("action", "after"), [("release", TickerStatus.IDLE), ("mark-failed", TickerStatus.FAILED)]
)
def test_a_run_of_a_dead_worker_is_released_or_marked_as_failed(
    admin: Person, seeds: Seeds, action: str, after: TickerStatus
) -> None:
    run_id = lost(seeds)
    assert action in admin.offers(f"/runs/{run_id}")
    assert admin.act(f"/runs/{run_id}", action).status_code == 303
    assert seeds.tickerq.runs.get(run_id).status is after


def test_a_deleted_run_is_told_of_on_the_list(admin: Person, seeds: Seeds) -> None:
    run_id = seeds.run(status=TickerStatus.DONE)
    asks = text_of(admin.get(f"/runs/{run_id}/delete").text)
    assert "nothing brings it back" in asks
    done = admin.act(f"/runs/{run_id}", "delete")
    with pytest.raises(TickerNotFoundError):
        seeds.tickerq.runs.get(run_id)
    assert done.location.startswith(f"{BASE}/runs?did=")
    told = admin.get(done.location).text
    assert "Deleted SendWelcomeEmail ," in text_of(told)
    assert f'<span title="{run_id}">' in told
    again = admin.get(f"/runs/{run_id}/delete")
    assert (again.status_code, "Not deleted: the run no longer exists." in again.text) == (404, True)


def test_a_form_that_is_sent_twice_takes_effect_once_and_shows_the_same(admin: Person, seeds: Seeds) -> None:
    run_id = seeds.run(status=TickerStatus.FAILED)
    page = f"/runs/{run_id}"
    form = admin.forms(page)[f"{page}/retry"]
    first, second = (admin.send(f"{page}/retry", form) for _ in range(2))
    assert (
        (first.status_code, first.location) == (second.status_code, second.location) == (303, first.location)
    )
    [entry] = seeds.tickerq.audit.find(object_kind="run", object_id=run_id)
    assert str(entry.id) == form["operation_id"]
    for sent in ("cancel", "delete"):
        path = f"{page}/{sent}"
        asked = admin.forms(path)[path]
        answers = [admin.send(path, asked) for _ in range(2)]
        assert {each.status_code for each in answers} == {303}
        assert len({each.location for each in answers}) == 1
    assert len(list(seeds.tickerq.audit.find(object_kind="run", object_id=run_id))) == 3


def test_an_id_that_served_for_something_else_is_refused(admin: Person, seeds: Seeds) -> None:
    first, second = (seeds.run(status=TickerStatus.FAILED) for _ in range(2))
    used = str(uuid4())
    admin.act(f"/runs/{first}", "retry", operation_id=used)
    refused = admin.act(f"/runs/{second}", "retry", operation_id=used)
    assert refused.status_code == 409
    assert "this form was used for something else" in refused.text
    assert seeds.tickerq.runs.get(second).status is TickerStatus.FAILED


@pytest.mark.parametrize(
    ("action", "status", "sentence"),
    [
        ("retry", TickerStatus.DONE, "Not retried: the run is Done since"),
        ("retry", TickerStatus.IN_PROGRESS, "Not retried: the run is In progress"),
        ("cancel", TickerStatus.FAILED, "Not cancelled: the run is Failed since"),
        ("run-now", TickerStatus.QUEUED, "Not started ahead of its time: the run is Queued"),
        ("delete", TickerStatus.QUEUED, "Not deleted: the run is Queued"),
        ("release", TickerStatus.DONE, "Not released: the run is Done since"),
        ("mark-failed", TickerStatus.IDLE, "Not marked as failed: the run is Idle"),
    ],
)
def test_what_the_state_does_not_allow_is_refused_in_words_before_and_after_it_is_sent(
    admin: Person, seeds: Seeds, action: str, status: TickerStatus, sentence: str
) -> None:
    run_id = seeds.run(status=status)
    path = f"/runs/{run_id}/{action}"
    asked = admin.get(path)
    assert (asked.status_code, sentence in text_of(asked.text)) == (409, True)
    # A page that was opened before the state changed.
    other = lost(seeds) if action in {"release", "mark-failed"} else None
    form = admin.forms(f"/runs/{other}/{action}")[f"/runs/{other}/{action}"] if other else None
    if form is None:
        fits = {"retry": TickerStatus.FAILED, "delete": TickerStatus.DONE}.get(action, TickerStatus.IDLE)
        other = seeds.run(status=fits)
        form = admin.forms(f"/runs/{other}/{action}")[f"/runs/{other}/{action}"]
    form = {name: value for name, value in form.items() if name != "expected"}
    refused = admin.send(path, form)
    assert refused.status_code == 409
    assert sentence in text_of(refused.text)
    assert "Nothing was changed" in refused.text
    assert seeds.tickerq.runs.get(run_id).status is status
    [entry] = seeds.tickerq.audit.find(object_kind="run", object_id=run_id)
    assert entry.outcome.value == "refused"
    assert action not in admin.offers(f"/runs/{run_id}")


def test_a_run_that_changed_after_it_was_shown_is_not_touched(admin: Person, seeds: Seeds) -> None:
    run_id = seeds.run()
    path = f"/runs/{run_id}/cancel"
    form = admin.forms(path)[path]
    seeds.tickerq.time_tickers.update(run_id, description="another month", allow_unknown=True)
    refused = admin.send(path, form)
    assert refused.status_code == 409
    assert "Not cancelled: it has changed since you saw it, and the run is Idle" in text_of(refused.text)
    assert seeds.tickerq.runs.get(run_id).status is TickerStatus.IDLE


def test_a_run_whose_worker_lives_is_not_released(admin: Person, seeds: Seeds) -> None:
    from tests.dashboard.showcase import Showcase

    shown = Showcase(seeds, runs=1)
    shown.beat()
    path = f"/runs/{shown.running}/release"
    refused = admin.act(f"/runs/{shown.running}", "release")
    assert refused.status_code == 409
    assert "Not released: the run is" in text_of(refused.text)
    assert path.removeprefix(f"/runs/{shown.running}/") not in admin.offers(f"/runs/{shown.running}")


def test_runs_of_workers_that_are_gone_are_released_from_the_page_of_nodes(
    admin: Person, client: FlaskClient, seeds: Seeds
) -> None:
    from tests.dashboard.showcase import Showcase

    shown = Showcase(seeds, runs=1)
    shown.beat()
    run_id = lost(seeds)
    page = admin.get("/nodes").text
    assert "Runs of workers that are gone" in page
    assert f'href="{BASE}/runs/{run_id}/mark-failed"' in page
    # A worker that beats keeps its runs.
    assert f"/runs/{shown.running}/" not in page
    operator, viewer = (Person(client, role).get("/nodes").text for role in ("operator", "viewer"))
    assert f"/runs/{run_id}/release" in operator
    assert f"/runs/{run_id}/mark-failed" not in operator
    assert "worker-9" in viewer
    assert f"/runs/{run_id}/release" not in viewer
    path = f"/runs/{run_id}/release"
    done = admin.send(path, admin.forms(path)[path])
    assert (done.status_code, seeds.tickerq.runs.get(run_id).status) == (303, TickerStatus.IDLE)
    admin.get(done.location)
    assert "Runs of workers that are gone" not in admin.get("/nodes").text


def test_a_run_that_is_not_there_is_404(admin: Person, seeds: Seeds) -> None:
    run_id = seeds.run(status=TickerStatus.FAILED)
    form = admin.forms(f"/runs/{run_id}")[f"/runs/{run_id}/retry"]
    refused = admin.send(f"/runs/{uuid4()}/retry", form)
    assert refused.status_code == 404
    assert "Not retried: the run no longer exists." in refused.text


@pytest.mark.parametrize("field", [{"reason": "x" * 501}, {"operation_id": "1"}, {"reason": "a\0b"}])
def test_a_field_that_cannot_be_kept_is_422(admin: Person, seeds: Seeds, field: dict[str, str]) -> None:
    run_id = seeds.run()
    assert admin.act(f"/runs/{run_id}", "cancel", **field).status_code == 422
    assert seeds.tickerq.runs.get(run_id).status is TickerStatus.IDLE


@pytest.mark.parametrize(
    ("role", "failed", "waiting"),
    [
        ("viewer", set(), set()),
        ("operator", {"retry", "clone"}, {"run-now", "cancel", "clone"}),
        ("admin", {"retry", "delete", "clone"}, {"run-now", "cancel", "delete", "clone", "edit"}),
    ],
)
def test_a_page_offers_what_the_role_may_do_and_the_state_allows(
    client: FlaskClient, seeds: Seeds, role: str, failed: set[str], waiting: set[str]
) -> None:
    person = Person(client, role)
    assert person.offers(f"/runs/{seeds.run(status=TickerStatus.FAILED)}") == failed
    assert person.offers(f"/runs/{waiting_late(seeds)}") == waiting
    occurrence = seeds.run(type=int(TickerType.CRON_TICKER_OCCURRENCE), cron_ticker_id=seeds.cron())
    assert person.offers(f"/runs/{occurrence}") == waiting - {"run-now", "edit"}


def test_a_role_that_may_not_is_refused_with_the_forms_of_another(client: FlaskClient, seeds: Seeds) -> None:
    run_id = seeds.run(status=TickerStatus.FAILED)
    form = Person(client).forms(f"/runs/{run_id}")[f"/runs/{run_id}/retry"]
    viewer = Person(client, "viewer")
    assert viewer.send(f"/runs/{run_id}/retry", form).status_code == 403
    assert viewer.get(f"/runs/{run_id}/retry").status_code == 403
    assert Person(client).send(f"/runs/{run_id}/retry", {**form, "csrf_token": "x"}).status_code == 403
    assert seeds.tickerq.runs.get(run_id).status is TickerStatus.FAILED


def test_what_the_store_holds_is_only_text_where_an_action_asks_refuses_and_tells(
    admin: Person, seeds: Seeds
) -> None:
    run_id = seeds.run(function=HOSTILE, description=HOSTILE, lock_holder=HOSTILE)
    seeds.tickerq.runs.cancel(run_id, by=HOSTILE.replace("\u202e", "").replace("\u200b", ""), reason=HOSTILE)
    pages = [
        admin.get(f"/runs/{run_id}/delete").text,
        admin.get(f"/runs/{run_id}/cancel").text,
        admin.get(admin.act(f"/runs/{run_id}", "retry", reason=HOSTILE).location).text,
    ]
    for page in pages:
        assert "&lt;img/src" in page
        for tag in ("<img/src", "<svg onload", "</textarea>"):
            assert tag not in page


def test_a_notice_is_shown_to_the_actor_of_the_operation_only(client: FlaskClient, seeds: Seeds) -> None:
    run_id = seeds.run(status=TickerStatus.FAILED)
    seeds.tickerq.runs.retry(run_id)
    [entry] = seeds.tickerq.audit.find(object_kind="run", object_id=run_id)
    for did in (entry.id, uuid4(), "x"):
        page = Person(client).get(f"/runs/{run_id}?did={did}")
        assert (page.status_code, "flash" in page.text) == (200, False)


def test_a_page_that_differs_by_its_forms_ids_only_is_not_sent_again(
    client: FlaskClient, seeds: Seeds
) -> None:
    person = Person(client)
    path = f"{BASE}/runs/{seeds.run(status=TickerStatus.FAILED)}"
    person.get(path)
    # What the side bar counts is read behind the first page of a process.
    settle()
    etag = person.get(path).headers["ETag"]
    again = client.get(path, headers={"X-Role": "admin", "If-None-Match": etag})
    assert again.status_code == 304


def in_progress(seeds: Seeds, **columns: Any) -> UUID:
    run = {"status": TickerStatus.IN_PROGRESS, "claim_no": 1, "started_at": NOW, "function": "Send"}
    return seeds.run(**run, running_on=join(seeds.tickerq, NodeKind.WORKER), **columns)


@pytest.mark.parametrize(
    ("role", "asked", "is_offered"),
    [("admin", "end", True), ("operator", "end", False), ("admin", "terminate", True)],
)
def test_a_run_that_heeds_no_cancel_leads_to_its_end_and_says_who_may(
    client: FlaskClient, seeds: Seeds, role: str, asked: str, is_offered: bool
) -> None:
    # Asked at the last change, which was long ago.
    run_id = in_progress(seeds, cancel_request=asked)
    page = Person(client, role=role).get(f"/runs/{run_id}").text
    note = page.partition('<p class="note warn">')[2].partition("</p>")[0]
    said = text_in(note)
    assert "and still runs: its function has not checked for that" in said
    assert ("The next step is to terminate it, which kills its process." in said) is is_offered
    assert ("which kills its process; that needs the role admin." in said) is not is_offered
    assert (f'class="btn danger" href="{BASE}/runs/{run_id}/terminate"' in note) is is_offered


def test_what_nothing_brings_back_has_the_colour_of_danger_and_nothing_else(
    admin: Person, seeds: Seeds
) -> None:
    running, failed = in_progress(seeds), seeds.run(status=TickerStatus.FAILED)
    dangerous = re.compile(r'class="btn danger" href="[^"]+/([a-z-]+)"')
    assert dangerous.findall(admin.get(f"/runs/{running}").text) == ["terminate"]
    assert dangerous.findall(admin.get(f"/runs/{failed}").text) == ["delete"]
    for run_id, action, is_dangerous in (
        (running, "terminate", True), (failed, "delete", True), (running, "cancel", False),
    ):  # fmt: skip
        asked = admin.get(f"/runs/{run_id}/{action}").text
        assert ('<button class="btn primary danger">' in asked) is is_dangerous
    listed = admin.get("/runs").text
    assert re.findall(r'<button class="btn danger" name="action" value="([a-z]+)"', listed) == ["delete"]


def test_of_a_run_without_a_process_of_its_own_the_next_step_is_its_worker(
    admin: Person, seeds: Seeds
) -> None:
    run_id = in_progress(seeds, cancel_request="end", lock_holder="w-threads")
    seeds.tickerq.core.write(lambda tx: tx.execute(nodes.update().values(name="w-threads", pool="threads")))
    said = text_of(admin.get(f"/runs/{run_id}").text)
    assert "its function has not checked for that" in said
    assert "no process for it alone that could be killed: the next step is to restart that worker" in said


def test_a_run_that_is_terminated_says_that_its_process_is_killed(admin: Person, seeds: Seeds) -> None:
    run_id = in_progress(seeds)
    asked = admin.act(f"/runs/{run_id}", "cancel")
    said = text_of(admin.get(asked.location).text)
    assert "once its function checks for that" in said
    assert "Its process is killed" not in said
    killed = admin.act(f"/runs/{run_id}", "terminate", typed="Send")
    said = text_of(admin.get(killed.location).text)
    assert "Its process is killed: by SIGTERM, then by SIGKILL" in said
    assert "heeds" not in said


def test_a_run_is_terminated_once_the_name_of_its_function_is_typed(admin: Person, seeds: Seeds) -> None:
    run_id = in_progress(seeds)
    path = f"/runs/{run_id}/terminate"
    asked = text_of(admin.get(path).text)
    assert "SIGKILL" in asked
    assert "what it holds open is lost" in asked
    assert "Only a prefork pool" in asked
    for wrong in ("", "Sned"):
        refused = admin.act(f"/runs/{run_id}", "terminate", typed=wrong)
        assert (refused.status_code, "Type Send as it stands here." in refused.text) == (422, True)
        assert 'name="typed" required' in refused.text
    assert not seeds.tickerq.runs.get(run_id).cancel_requested
    done = admin.act(f"/runs/{run_id}", "terminate", typed="Send", reason="it hangs")
    assert done.status_code == 303
    assert seeds.tickerq.runs.get(run_id).cancel_requested
    [entry] = seeds.tickerq.audit.find(object_kind="run", object_id=run_id)
    assert (entry.action, entry.after["cancel_request"], entry.reason) == (
        "runs.cancel",
        "terminate",
        "it hangs",
    )
    assert "Ordered its process to be killed" in text_of(admin.get(done.location).text)


def test_one_that_was_asked_to_end_and_does_not_can_be_terminated_by_an_admin_only(
    client: FlaskClient, seeds: Seeds
) -> None:
    run_id = in_progress(seeds)
    seeds.tickerq.runs.cancel(run_id)
    assert "terminate" in Person(client).offers(f"/runs/{run_id}")
    assert "terminate" not in Person(client, "operator").offers(f"/runs/{run_id}")
    form = Person(client).forms(f"/runs/{run_id}/terminate")[f"/runs/{run_id}/terminate"]
    operator = Person(client, "operator")
    assert operator.send(f"/runs/{run_id}/terminate", {**form, "typed": "Send"}).status_code == 403
    ended = seeds.run(status=TickerStatus.DONE)
    refused = Person(client).get(f"/runs/{ended}/terminate")
    assert (refused.status_code, "Not terminated: the run is Done since" in refused.text) == (409, True)
    gone = Person(client).send(f"/runs/{uuid4()}/terminate", {**form, "typed": "Send"})
    assert gone.status_code == 404


def test_where_the_worker_is_lost_what_helps_is_offered_and_no_process_is_there_to_be_killed(
    admin: Person, seeds: Seeds
) -> None:
    run_id = lost(seeds)
    assert admin.offers(f"/runs/{run_id}") == {"cancel", "clone", "mark-failed", "release"}


@pytest.mark.parametrize("action", ["release", "mark-failed"])
def test_how_far_a_lost_run_came_stays_on_its_page(admin: Person, seeds: Seeds, action: str) -> None:
    run_id = lost(seeds)
    reported = {"ticker_id": run_id, "claim_no": 1, "fraction": 0.4, "message": "row 400"}
    seeds.tickerq.core.write(insert_rows, progress, [reported])
    assert "40 % row 400 reported last" in text_of(admin.get(f"/runs/{run_id}").text)
    admin.act(f"/runs/{run_id}", action)
    page = text_of(admin.get(f"/runs/{run_id}").text)
    assert seeds.tickerq.runs.get(run_id).status is not TickerStatus.IN_PROGRESS
    assert "40 % row 400 reported last" in page


def test_what_a_run_reports_that_goes_on_is_not_its_last(admin: Person, seeds: Seeds) -> None:
    run_id = in_progress(seeds)
    reported = {"ticker_id": run_id, "claim_no": 1, "fraction": 0.4, "message": "row 400"}
    seeds.tickerq.core.write(insert_rows, progress, [reported])
    page = text_of(admin.get(f"/runs/{run_id}").text)
    assert ("40 % row 400" in page, "reported last" in page) == (True, False)


@pytest.mark.parametrize(("pool", "is_offered"), [("prefork", True), ("solo", False)])
def test_a_run_is_terminated_where_its_worker_has_a_prefork_pool(
    admin: Person, seeds: Seeds, pool: str, *, is_offered: bool
) -> None:
    from tests.dashboard.showcase import Showcase

    shown = Showcase(seeds, runs=1)
    seeds.tickerq.core.write(lambda tx: tx.execute(nodes.update().values(pool=pool)))
    node = seeds.tickerq.runs.get(shown.running).node
    assert node in {each.name for each in seeds.tickerq.nodes.find()}
    assert ("terminate" in admin.offers(f"/runs/{shown.running}")) is is_offered
