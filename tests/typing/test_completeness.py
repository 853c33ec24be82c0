"""Type checkers know each type of what users import, call and are given, and guess none."""

import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.typing.checkers import verified_types

pytestmark = pytest.mark.verify
PACKAGE = "tickerq_celery"
# The modules and rooms whose objects users hold.
HELD = {
    "decorator",
    "enums",
    "errors",
    "extension",
    "functions",
    "managers",
    "testing",
    "tickers",
    "typing",
    "views",
}
_WORD = re.compile(r"\w+")


def test_the_types_of_what_users_hold_are_known(tmp_path: Path) -> None:
    symbols = verified_types(PACKAGE, tmp_path)
    unclear = {
        each["name"].rpartition(".")[2]
        for each in symbols
        if not each["isTypeKnown"] or each["isTypeAmbiguous"]
    }
    found = [
        f"{each['name']}: {message}"
        for each in symbols
        if each["name"].split(".")[1] in HELD and not each["name"].endswith(".logger")
        for message in _own_messages(each, unclear)
    ]
    assert {each["name"].split(".")[1] for each in symbols} >= HELD
    assert found == []


def _own_messages(symbol: dict[str, Any], unclear: Collection[str]) -> Iterator[str]:
    """Yield what is reported of a symbol itself, and not of the type of an inner room that it names."""
    for each in symbol["diagnostics"]:
        message = each["message"]
        is_of_another = "is partially unknown" in message and not unclear.isdisjoint(_WORD.findall(message))
        if each["severity"] == "error" and not (is_of_another and "Unknown" not in message):
            yield message
