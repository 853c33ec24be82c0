"""An enum's member is taken as such, by its number, or by its word in any case."""

from enum import Enum, IntEnum, StrEnum

import pytest

from tickerq_celery import enums, validation
from tickerq_celery.enums import MisfirePolicy, RunCondition, TickerPriority, TickerStatus
from tickerq_celery.errors import TickerValidationError

ENUMS = [
    each
    for each in vars(enums).values()
    if isinstance(each, type) and issubclass(each, Enum) and each not in {IntEnum, StrEnum}
]


@pytest.mark.parametrize("among", ENUMS)
def test_each_member_is_found_by_itself_its_value_and_its_word(among: type[Enum]) -> None:
    for each in among:
        word = each.name
        for given in (each, each.value, word, word.lower(), word.title(), word.replace("_", "")):
            assert validation.member("field", given, among) is each


@pytest.mark.parametrize(
    ("word", "member"),
    [
        ("InProgress", TickerStatus.IN_PROGRESS),
        ("due done", TickerStatus.DUE_DONE),
        ("on-success", RunCondition.ON_SUCCESS),
        ("Run_Once", MisfirePolicy.RUN_ONCE),
    ],
)
def test_only_letters_count(word: str, member: Enum) -> None:
    assert validation.member("field", word, type(member)) is member


@pytest.mark.parametrize(
    "value", [True, False, 9, -1, "", "hi", "1", None, [], 1.5, TickerStatus.QUEUED, RunCondition.ON_SUCCESS]
)
def test_what_names_no_member_is_refused_with_the_words(value: object) -> None:
    with pytest.raises(TickerValidationError, match="field: pass one of long_running, high, normal, low"):
        validation.member("field", value, TickerPriority)
