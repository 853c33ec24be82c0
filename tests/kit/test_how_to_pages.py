"""Pages whose blocks are a project, as those of How to: its tests pass, as a reader would run them."""

import re
from pathlib import Path

import pytest

from tests.acceptance.warm import WarmServer
from tests.kit.projects import Project
from tests.pages import BLOCK, ROOT, text_of

NAME = re.compile(r"# (?P<name>\w+\.(?:py|ini))\n")
FOLDERS = ("how-to", "coming-from")
INI = "[pytest]\ntickerq_app = shop:app\n"
# What is written beside a project, and run by no test here.
NOT_RUN = ("bash", "text", "sql", "csharp")


def projects() -> list[str]:
    """Return the pages that bring tests of their own."""
    pages = sorted(page for folder in FOLDERS for page in (ROOT / "docs" / folder).glob("*.md"))
    return [page.relative_to(ROOT).as_posix() for page in pages if "\n# test_" in page.read_text()]


@pytest.mark.parametrize("page", projects())
def test_the_tests_of_the_page_pass(tmp_path: Path, warm_server: WarmServer, page: str) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    project = Project(folder, warm_server.launch)
    project.write("pytest.ini", INI)
    tests = 0
    for block in BLOCK.finditer(text_of(page)):
        if block["language"] in NOT_RUN:
            continue
        named = NAME.match(block["text"])
        assert named, block["text"]
        (folder / named["name"]).write_text(block["text"])
        tests += len(re.findall(r"^(?:async )?def test_", block["text"], re.MULTILINE))
    result = project.pytest("-q", "-W", "error", "-rA")
    assert result.returncode == 0, result.output
    assert len(re.findall("^PASSED", result.output, re.MULTILINE)) == tests
