"""What the managers' verbs return follows one rule."""

from collections.abc import Callable
from typing import Any, get_origin, get_type_hints

import pytest

from tests.unit.verbs import verbs_of
from tickerq_celery import Cron, Run
from tickerq_celery.managers.bulk import BulkManager
from tickerq_celery.managers.cron.cron_tickers import CronTickerManager
from tickerq_celery.managers.runs.runs import RunManager
from tickerq_celery.managers.time_tickers.time_tickers import TimeTickerManager
from tickerq_celery.typing import ChainManager, ErrorManager, PauseManager
from tickerq_celery.views import BulkJob, ChainChange, CronBatch, Listing, Page, Pause, Walk

MANAGERS = [
    TimeTickerManager, CronTickerManager, RunManager, PauseManager, BulkManager, ChainManager, ErrorManager
]  # fmt: skip
VIEWS = {Run, Cron, CronBatch, Pause, BulkJob, ChainChange}
READS = {
    "by_next_run",
    "by_name",
    "by_id_prefix",
    "active",
    "history",
    "find",
    "iterate",
    "occurrences",
    "count",
    "counts",
    "preview",
    "explain",
    "explain_held",
    "figures",
    "upcoming",
    "backfill_preview",
    "tree",
    "groups",
    "result",
}
REMOVES_ONE, REMOVES_MANY = {"delete"}, {"delete_batch"}
MANY = {"get_batch", "add_batch", "update_batch", "run_now_batch", "backfill"}


VERBS = [
    pytest.param(name, verb, id=f"{manager.__name__}.{name}")
    for manager in MANAGERS
    for name, verb in verbs_of(manager)
]


def is_list_of_views(returned: Any) -> bool:
    return get_origin(returned) is list and set(returned.__args__) <= VIEWS


@pytest.mark.parametrize(("name", "verb"), VERBS)
def test_a_verb_returns_what_it_makes_or_changes_and_how_many_it_removes(
    name: str, verb: Callable[..., Any]
) -> None:
    returned = get_type_hints(verb)["return"]
    if name in REMOVES_ONE:
        assert returned is type(None)
    elif name in REMOVES_MANY:
        assert returned is int
    elif name in MANY:
        assert is_list_of_views(returned)
    elif name in READS:
        assert returned is not bool
    else:
        assert returned in VIEWS


@pytest.mark.parametrize("manager", MANAGERS)
def test_listings_are_pages_and_walks(manager: type) -> None:
    kinds = {"find": Page, "occurrences": Page, "iterate": Walk}
    for name, verb in verbs_of(manager):
        if name in kinds and manager is not PauseManager:
            assert get_origin(get_type_hints(verb)["return"]) is kinds[name]


def test_ordered_lists_go_both_ways() -> None:
    lists = [(RunManager, name) for name in ("active", "upcoming", "history")]
    lists += [(CronTickerManager, name) for name in ("by_next_run", "by_name")]
    for manager, name in lists:
        assert get_origin(get_type_hints(getattr(manager, name))["return"]) is Listing
