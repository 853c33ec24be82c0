"""TickerQ's words have TickerQ's numbers: what databases and messages hold."""

import json
from enum import IntEnum
from typing import get_args

import pytest

from tickerq_celery import enums
from tickerq_celery.enums import RunCondition, TickerPriority, TickerStatus, TickerType

NUMBERS: list[tuple[type[IntEnum], str]] = [
    (TickerStatus, "IDLE QUEUED IN_PROGRESS DONE DUE_DONE FAILED CANCELLED SKIPPED"),
    (
        RunCondition,
        "ON_SUCCESS ON_FAILURE ON_CANCELLED ON_FAILURE_OR_CANCELLED ON_ANY_COMPLETED_STATUS IN_PROGRESS",
    ),
    (TickerType, "CRON_TICKER_OCCURRENCE TIME_TICKER"),
    (TickerPriority, "LONG_RUNNING HIGH NORMAL LOW"),
]


def test_a_status_prints_as_tickerqs_word_and_is_tickerqs_number() -> None:
    status = TickerStatus.DUE_DONE
    assert (str(status), f"{status}", f"{status:<9}|") == ("DueDone", "DueDone", "DueDone  |")
    assert (json.dumps(status), int(status)) == ("4", 4)
    assert [str(each) for each in TickerStatus] == (
        ["Idle", "Queued", "InProgress", "Done", "DueDone", "Failed", "Cancelled", "Skipped"]
    )


@pytest.mark.parametrize(("kind", "words"), NUMBERS)
def test_tickerqs_words_have_tickerqs_numbers(kind: type[IntEnum], words: str) -> None:
    assert [(each.name, each.value) for each in kind] == [
        (word, number) for number, word in enumerate(words.split())
    ]


@pytest.mark.parametrize("alias", [name for name in vars(enums) if name.endswith("Like")])
def test_type_checkers_know_the_words_of_an_enum(alias: str) -> None:
    kind, words = get_args(getattr(enums, alias))
    assert kind is getattr(enums, alias.removesuffix("Like"))
    assert get_args(words) == tuple(each.name.lower() for each in kind)
