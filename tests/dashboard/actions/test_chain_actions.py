"""What is done to a chain as a whole: asked for on a page, done by a form, told of on the chain's page."""

from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from tests.dashboard.actions.forms import Person
from tests.dashboard.conftest import BASE
from tests.dashboard.page_text import text_of
from tests.dashboard.seeds import NOW, Seeds
from tickerq_celery import TickerStatus

UNMET = "Rule RunCondition did not match! It is OnSuccess, and the parent is Failed"


class Chain:
    """A payment that failed, a receipt that was skipped for that, and an alarm that waits for its parent."""

    def __init__(self, seeds: Seeds) -> None:
        self.head = seeds.run(
            function="Pay",
            status=TickerStatus.FAILED,
            has_children=True,
            started_at=NOW,
            description="Order 7",
        )
        below = {"parent_id": self.head, "root_id": self.head, "execution_time": None, "due_at": None}
        self.receipt = seeds.run(
            function="Receipt", status=TickerStatus.SKIPPED, skipped_reason=UNMET, run_condition=0, **below
        )
        self.alarm = seeds.run(function="Alarm", held_for="parent", held_since=NOW, run_condition=1, **below)

    @property
    def page(self) -> str:
        return f"/chains/{self.receipt}"


@pytest.fixture
def chain(seeds: Seeds) -> Chain:
    return Chain(seeds)


def statuses(seeds: Seeds, chain: Chain) -> list[str]:
    return [seeds.tickerq.runs.get(each).status.name for each in (chain.head, chain.receipt, chain.alarm)]


def test_what_failed_is_retried_with_what_was_skipped_for_it(
    admin: Person, seeds: Seeds, chain: Chain
) -> None:
    asked = text_of(admin.get(f"{chain.page}/retry-failed").text)
    assert "Retry what failed in the chain of Pay" in asked
    assert "1 failed run starts again, with all retries" in asked
    done = admin.act(chain.page, "retry-failed", reason="the bank is back")
    assert (done.status_code, done.location.partition("?")[0]) == (303, BASE + chain.page)
    assert statuses(seeds, chain) == ["IDLE", "IDLE", "IDLE"]
    [entry] = seeds.tickerq.audit.find(action="chains.retry_failed")
    assert (entry.object_id, entry.reason, entry.count) == (str(chain.receipt), "the bank is back", 2)
    assert "Set 2 runs to run again in the chain of Pay “Order 7”" in text_of(admin.get(done.location).text)


def test_the_rest_is_cancelled_and_what_has_ended_stays(admin: Person, seeds: Seeds, chain: Chain) -> None:
    asked = text_of(admin.get(f"{chain.page}/cancel-rest").text)
    assert "1 run has not started and will not. What has ended stays as it is." in asked
    done = admin.act(chain.page, "cancel-rest")
    assert statuses(seeds, chain) == ["FAILED", "SKIPPED", "CANCELLED"]
    assert "Cancelled or asked to end 1 run in the chain of Pay “Order 7”" in text_of(
        admin.get(done.location).text
    )
    assert admin.offers(chain.page) == {"retry-failed"}


def test_what_runs_is_asked_to_end(admin: Person, seeds: Seeds) -> None:
    head = seeds.run(
        function="Pay", status=TickerStatus.IN_PROGRESS, claim_no=1, has_children=True, started_at=NOW
    )
    seeds.run(function="Alarm", held_for="parent", held_since=NOW, parent_id=head, root_id=head, due_at=None)
    asked = text_of(admin.get(f"/chains/{head}/cancel-rest").text)
    assert "1 run has not started and will not. 1 run is in progress, and asked to end" in asked
    done = admin.act(f"/chains/{head}", "cancel-rest")
    assert seeds.tickerq.runs.get(head).cancel_requested
    assert "cancel-rest" not in admin.get(done.location).text


@pytest.mark.parametrize("action", ["retry-failed", "cancel-rest"])
def test_what_has_nothing_left_for_it_is_refused_before_and_after_it_is_sent(
    admin: Person, seeds: Seeds, chain: Chain, action: str
) -> None:
    form = admin.forms(f"{chain.page}/{action}")[f"{chain.page}/{action}"]
    del form["expected"]
    head = seeds.run(status=TickerStatus.DONE, has_children=True)
    seeds.run(status=TickerStatus.DONE, parent_id=head, root_id=head)
    undone = {"retry-failed": "Not retried", "cancel-rest": "Not cancelled"}[action]
    asked = admin.get(f"/chains/{head}/{action}")
    assert asked.status_code == 409
    assert f"{undone}: the chain of 2 runs has ended: 2 are Done." in text_of(asked.text)
    refused = admin.send(f"/chains/{head}/{action}", form)
    assert refused.status_code == 409
    assert f"{undone}: the run is in a chain" in text_of(refused.text)
    assert "Nothing was changed" in refused.text


def test_a_chain_that_changed_after_it_was_shown_is_not_touched(
    admin: Person, seeds: Seeds, chain: Chain
) -> None:
    path = f"{chain.page}/retry-failed"
    form = admin.forms(path)[path]
    seeds.tickerq.runs.cancel(chain.alarm)
    refused = admin.send(path, form)
    assert refused.status_code == 409
    assert "Not retried: it has changed since you saw it, and the chain of 3 runs has ended" in text_of(
        refused.text
    )
    assert statuses(seeds, chain) == ["FAILED", "SKIPPED", "CANCELLED"]
    gone = admin.send(f"/chains/{uuid4()}/retry-failed", form)
    assert (gone.status_code, "the chain no longer exists" in gone.text) == (404, True)


def test_a_page_offers_what_the_role_may_do(client: FlaskClient, chain: Chain) -> None:
    assert Person(client).offers(chain.page) == {"retry-failed", "cancel-rest"}
    assert Person(client, "operator").offers(chain.page) == {"retry-failed", "cancel-rest"}
    viewer = Person(client, "viewer")
    assert viewer.offers(chain.page) == set()
    assert viewer.get(f"{chain.page}/retry-failed").status_code == 403


def test_a_run_without_a_chain_has_no_such_buttons(admin: Person, seeds: Seeds) -> None:
    assert admin.offers(f"/chains/{seeds.run(status=TickerStatus.FAILED)}") == set()
