"""The page of a chain."""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from tests.dashboard.access.users import SECRET, as_role, by_role
from tests.dashboard.conftest import BASE, Visitor
from tests.dashboard.page_text import text_of
from tests.dashboard.seeds import NOW, Seeds
from tickerq_celery import TickerStatus
from tickerq_dashboard import create_app
from tickerq_dashboard.reading.reader import CHAIN_SHOWN
from tickerq_dashboard.show.charts.chain import MOST_DRAWN

# Pages say a moment of the days before by its weekday.
RECENTLY = datetime.now(UTC) - timedelta(days=2)


class Chain:
    """A failed import, with an alarm that ran and a receipt that was skipped with what is below it."""

    def __init__(self, seeds: Seeds) -> None:
        self._seeds = seeds
        self.head = seeds.run(
            function="shop.Import",
            status=TickerStatus.FAILED,
            has_children=True,
            started_at=NOW,
            exception_type="KeyError",
            exception_message="'vat_id' of customer 7",
        )
        unmet = "Rule RunCondition did not match! It is OnSuccess, and the parent is Failed"
        skipped = {"status": TickerStatus.SKIPPED, "skipped_reason": unmet}
        self.receipt = self.below(self.head, "Receipt", run_condition=0, has_children=True, **skipped)
        self.note = self.below(self.receipt, "Note", run_condition=4, **skipped)
        self.alarm = self.below(
            self.head,
            "Alarm",
            run_condition=1,
            status=TickerStatus.DONE,
            started_at=NOW,
            ended_at=RECENTLY,
            elapsed=timedelta(1),
        )
        self.last = self.below(self.head, "Last", run_condition=4, held_for="parent", held_since=NOW)

    def below(self, parent: UUID, function: str, **columns: object) -> UUID:
        waits = {"execution_time": None, "due_at": None}
        return self._seeds.run(function=function, parent_id=parent, root_id=self.head, **(waits | columns))

    @property
    def ids(self) -> list[UUID]:
        """All of them, each followed by what is below it."""
        return [self.head, self.receipt, self.note, self.alarm, self.last]


def linked(part: str) -> list[UUID]:
    return [UUID(each) for each in re.findall(rf'href="{BASE}/runs/([0-9a-f-]{{36}})"', part)]


def test_any_run_of_a_chain_leads_to_its_tree_and_its_list(visitor: Visitor, seeds: Seeds) -> None:
    chain = Chain(seeds)
    for run_id in chain.ids:
        assert f'href="{BASE}/chains/{run_id}"' in visitor.get(f"/runs/{run_id}").text
        page = visitor.get(f"/chains/{run_id}").text
        tree, _, listed = page.partition('class="graph"')[2].partition('id="list-title"')
        assert linked(tree) == linked(listed) == chain.ids
        here = re.findall(rf'href="{BASE}/runs/([0-9a-f-]+)" aria-current="true"><title>', tree)
        assert here == [str(run_id)]


def test_the_list_has_each_run_below_its_parent(visitor: Visitor, seeds: Seeds) -> None:
    page = visitor.get(f"/chains/{Chain(seeds).head}").text
    listed = page.partition('class="tree"')[2].partition("</section>")[0]
    shape = re.findall(r"<(/?(?:ul|li))>|<b>(\w+)<", listed)
    assert " ".join(tag or name for tag, name in shape) == (
        "Import ul li Receipt ul li Note /li /ul /li li Alarm /li li Last /li /ul"
    )


def test_each_run_says_its_status_its_condition_and_why(visitor: Visitor, seeds: Seeds) -> None:
    page = visitor.get(f"/chains/{Chain(seeds).alarm}").text
    tree = page.partition('class="graph"')[2].partition("</svg></div>")[0]
    unmet = "Its parent failed; it runs on success"
    assert [re.sub(r"\s+", " ", each) for each in re.findall(r"<title>(.*?)</title>", tree)] == [
        "shop.Import, Failed: KeyError",
        f"Receipt, Skipped, runs on success: {unmet}",
        f"Note, Skipped, runs after any end: {unmet}",
        f"Alarm, Done, runs on failure, this run: ended {RECENTLY:%a %H:%M}",
        "Last, Idle, runs after any end: Waits for its parent",
    ]
    assert [f"#s-{sign}" in tree for sign in ("failed", "skipped", "done", "idle")] == [True] * 4
    shown = text_of(page)
    assert "The chain of 5 runs has not ended: 1 is Failed, 2 Skipped, 1 Idle, 1 Done." in shown
    assert "KeyError: 'vat_id' of customer 7" in shown


def test_what_did_not_run_is_dashed(visitor: Visitor, seeds: Seeds) -> None:
    page = visitor.get(f"/chains/{Chain(seeds).head}").text
    assert re.findall(r'<g class="st-([a-z]+)( dashed)?"', page) == [
        ("failed", ""),
        ("skipped", " dashed"),
        ("skipped", " dashed"),
        ("done", ""),
        ("idle", " dashed"),
    ]


def test_the_text_of_an_error_needs_its_right(seeds: Seeds) -> None:
    head = Chain(seeds).head
    client = create_app(
        seeds.tickerq, auth=by_role, secret=SECRET, permissions={"viewer": ["view"]}
    ).test_client()
    seen = {
        role: "customer 7" in client.get(f"{BASE}/chains/{head}", headers=as_role(role)).text
        for role in ("viewer", "admin")
    }
    assert seen == {"viewer": False, "admin": True}


def test_a_run_without_a_chain_says_so_and_links_to_itself(visitor: Visitor, seeds: Seeds) -> None:
    alone = seeds.run(function="Alone")
    page = visitor.get(f"/chains/{alone}").text
    assert "This run has no chain." in text_of(page)
    assert f'href="{BASE}/runs/{alone}"' in page
    assert "/chains/" not in visitor.get(f"/runs/{alone}").text


def test_a_chain_of_an_unknown_run_is_not_found(visitor: Visitor) -> None:
    assert visitor.get(f"/chains/{uuid4()}").status_code == 404


@pytest.mark.parametrize(
    ("children", "says"),
    [
        (
            MOST_DRAWN,
            "Too large to draw: trees have up to 60 runs. The list has all 61.",
        ),
        (
            CHAIN_SHOWN,
            "This page has the first 200 runs, level by level. A chain has 1,000 at most.",
        ),
    ],
)
def test_a_large_chain_is_a_list_that_says_its_bounds(
    visitor: Visitor, seeds: Seeds, children: int, says: str
) -> None:
    head = seeds.run(function="Import", status=TickerStatus.DONE, has_children=True)
    for number in range(children):
        last = seeds.run(
            function=f"Child{number}", parent_id=head, root_id=head, execution_time=None, due_at=None
        )
    page = visitor.get(f"/chains/{last}").text
    assert 'class="graph"' not in page
    assert says in text_of(page)
    assert ("is not among them" in text_of(page)) is (children == CHAIN_SHOWN)
    assert len(linked(page.partition('class="tree"')[2])) == min(children + 1, CHAIN_SHOWN)
