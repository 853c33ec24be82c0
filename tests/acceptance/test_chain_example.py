"""The example of docs/reference/chains.md, run as that page says: its commands, real processes, no server."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.acceptance.terminals import Terminals

pytestmark = pytest.mark.acceptance

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "chains.md").read_text()
BLOCK = re.compile(r"^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
ADD = "python -m examples.chain.add"
PRINTED = ("receipt for invoice 7", "stock is reserved", "how did you like it?")
RAN = {"ChargeCard", "ReserveStock", "SendReceipt", "AskForReview"}


def block(language: str) -> str:
    """Return the page's first block in a language."""
    return next(found["text"] for found in BLOCK.finditer(PAGE) if found["language"] == language)


@pytest.fixture
def terminals(tmp_path: Path) -> Iterator[Terminals]:
    with ExitStack() as stack:
        opened = Terminals(tmp_path, {"PYTHONPATH": str(ROOT)})
        stack.callback(opened.kill)
        yield opened


def statuses(listing: str) -> dict[str, str]:
    """Return what the list shows, by function."""
    function = "|".join(["CallCustomer", *RAN])
    found = re.finditer(
        rf"^[0-9a-f-]{{36}} +(?P<status>\w+) .*?\b(?P<function>{function})\b", listing, re.MULTILINE
    )
    return {each["function"]: each["status"] for each in found}


def test_the_page_shows_the_example_as_it_is() -> None:
    name, _, text = block("python").partition("\n")
    assert (ROOT / name.removeprefix("# ")).read_text().partition("\n\n")[2] == text


@pytest.mark.verify
def test_the_example_does_what_the_page_says(terminals: Terminals) -> None:
    migrate, worker, beat, add, listing = block("bash").splitlines()
    assert f"{ADD} 19990" in PAGE
    terminals.run(migrate)
    terminals.start("worker", worker)
    terminals.start("beat", beat)

    terminals.run(add)
    terminals.wait_for(lambda: all(each in terminals.printed("worker") for each in PRINTED), "worker", "beat")
    terminals.wait_for(
        lambda: statuses(terminals.run(listing))
        == {**dict.fromkeys(RAN, "Done"), "CallCustomer": "Skipped"},
        "worker", "beat",
    )  # fmt: skip

    terminals.run(f"{ADD} 19990")
    terminals.wait_for(lambda: "support calls the customer" in terminals.printed("worker"), "worker", "beat")
    assert terminals.printed("worker").count("receipt for invoice") == 1
    assert terminals.stop() == [0, 0]
