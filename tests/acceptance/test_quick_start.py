"""The page for plain Celery, executed literally: its files, its commands, real processes, no server."""

import base64
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.acceptance.terminals import WAIT_SECONDS, Terminals
from tests.pages import BLOCK, FILE_NAME

# The demo walks nearly the same way in `make test`.
pytestmark = [pytest.mark.acceptance, pytest.mark.verify]

PAGE = Path(__file__).parents[2] / "docs" / "start" / "plain-celery.md"


def quick_start() -> str:
    return PAGE.read_text().partition("\n## ")[0]


def files() -> dict[str, str]:
    """Return the files that the reader pastes, by name."""
    blocks = [found["text"] for found in BLOCK.finditer(quick_start()) if found["language"] == "python"]
    named = [(FILE_NAME.match(text), text) for text in blocks]
    return {found["name"]: text for found, text in named if found is not None}


def commands() -> list[str]:
    """Return what the reader types once the package is installed."""
    blocks = [found["text"] for found in BLOCK.finditer(quick_start()) if found["language"] == "bash"]
    return [line for text in blocks for line in text.splitlines() if line.startswith(("celery ", "python "))]


@pytest.fixture
def terminals(tmp_path: Path) -> Iterator[Terminals]:
    for name, text in files().items():
        (tmp_path / name).write_text(text)
    with ExitStack() as stack:
        opened = Terminals(tmp_path)
        stack.callback(opened.kill)
        yield opened


def page(address: str, password: str) -> str:
    login = base64.b64encode(f"admin:{password}".encode()).decode()
    request = urllib.request.Request(address, headers={"Authorization": f"Basic {login}"})
    with urllib.request.urlopen(request, timeout=WAIT_SECONDS) as response:
        return str(response.read().decode())


def test_the_quick_start_does_what_the_page_says(terminals: Terminals) -> None:
    assert set(files()) == {"celery_app.py", "jobs.py", "add.py"}
    migrate, worker, beat, dashboard, add, listing, show = commands()
    assert "the store is ready" in terminals.run(migrate)

    terminals.start("worker", worker)
    terminals.start("beat", beat)
    # In a terminal of its own, since the password is shown on nothing else; its own port may be taken.
    terminals.start(
        "dashboard", f"script --quiet --flush --return --command '{dashboard} --port 0' /dev/null"
    )
    everything = ("worker", "beat", "dashboard")
    terminals.wait_for(lambda: "It is" in terminals.printed("worker"), *everything)

    run_id = terminals.run(add).strip()
    terminals.wait_for(lambda: "Hello Ada!" in terminals.printed("worker"), *everything)
    terminals.wait_for(
        lambda: re.search(rf"{run_id} +Done .* SayHello$", terminals.run(listing), re.MULTILINE), *everything
    )

    attempts = terminals.run(show.replace("ID", run_id))
    assert "ConnectionError: no server is listening yet" in attempts
    assert "retries        1 of 3" in attempts

    printed = terminals.printed("dashboard")
    address = re.search(r"http://\S+", printed)
    password = re.search(r"password (\S+)", printed)
    assert address, printed
    assert password, printed
    with pytest.raises(urllib.error.HTTPError, match="401"):
        page(address[0], "wrong")
    shown = page(f"{address[0]}runs/{run_id}", password[1])
    assert "ConnectionError" in shown
    assert "no server is listening yet" in shown

    assert terminals.stop()[:2] == [0, 0]
