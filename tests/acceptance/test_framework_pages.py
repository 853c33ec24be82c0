"""The pages for FastAPI and Flask, executed literally: their files and commands, real processes."""

import json
import re
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.acceptance.terminals import WAIT_SECONDS, Terminals
from tests.acceptance.warm import WarmServer
from tests.pages import BLOCK, FILE_NAME, text_of
from tests.servers.ports import free_port

pytestmark = [pytest.mark.acceptance, pytest.mark.verify]
OF_THE_DAY = re.compile(r"\S*\d\S*@\S+|[\d-]+ [\d:]+Z|< \d+ ms")


def commands(page: str) -> list[str]:
    """Return what the reader types once the packages are installed."""
    blocks = [found["text"] for found in BLOCK.finditer(text_of(page)) if found["language"] == "bash"]
    wanted = ("celery ", "uvicorn ", "flask ", "curl ")
    return [line for text in blocks for line in text.splitlines() if line.startswith(wanted)]


@pytest.fixture
def terminals(tmp_path: Path, warm_server: WarmServer) -> Iterator[Terminals]:
    with ExitStack() as stack:
        opened = Terminals(tmp_path, launch=warm_server.launch)
        stack.callback(opened.kill)
        yield opened


@pytest.mark.parametrize("page", ["docs/start/fastapi.md", "docs/start/flask.md"])
def test_the_page_does_what_it_says(terminals: Terminals, tmp_path: Path, page: str) -> None:
    for block in BLOCK.finditer(text_of(page)):
        if named := FILE_NAME.match(block["text"]):
            (tmp_path / named["name"]).write_text(block["text"])
    migrate, worker, beat, web, curl, runs, show = commands(page)
    port = free_port()
    terminals.run(migrate)
    terminals.start("worker", worker)
    terminals.start("beat", beat)
    terminals.start("web", web.replace("8000", str(port)))
    everything = ("worker", "beat", "web")
    terminals.wait_for(lambda: re.search("running|Running", terminals.printed("web")), *everything)
    terminals.wait_for(lambda: "it is " in terminals.printed("worker"), *everything)

    address = curl.split()[-1].replace("localhost:8000", f"127.0.0.1:{port}")
    request = urllib.request.Request(address, method="POST")
    with urllib.request.urlopen(request, timeout=WAIT_SECONDS) as answer:
        run_id = json.load(answer)["run"]
    terminals.wait_for(lambda: "a receipt for order 7" in terminals.printed("worker"), *everything)
    terminals.wait_for(lambda: re.search(f"{run_id} +Done", terminals.run(runs)), *everything)
    shown = terminals.run(show.replace("ID", run_id))
    assert "the mail server is not there yet" in shown
    assert "the mail server is not there yet" in terminals.printed("worker")
    # What the page shows of it, but for moments and nodes, which are of another day.
    [lines] = re.findall(r"^```text\n(SendReceipt: .*?)^```$", text_of(page), re.MULTILINE | re.DOTALL)
    words = [
        re.sub(r"\S*\d\S*@\S+|[\d-]+ [\d:]+Z|< \d+ ms", " ", line).split() for line in lines.splitlines()
    ]
    assert [each for each in words if each != ["…"] and not is_in(each, shown)] == []


def is_in(words: list[str], text: str) -> bool:
    """Return True if a line of the text has these words in their order."""
    return any(re.search(".*".join(map(re.escape, words)), line) for line in text.splitlines())
