"""The page on testing, as one project whose tests run."""

import re
import subprocess
import sys
from pathlib import Path

from tests.acceptance.warm import WarmServer
from tests.kit.projects import Project
from tests.pages import BLOCK, table, text_of
from tickerq_celery.testing import TickerQTest

PAGE = "docs/reference/testing.md"
NAME = re.compile(r"# (?P<name>[\w/]+\.(?:py|ini))\n")


def test_the_projects_tests_pass_and_make_nothing_but_their_own_database(
    tmp_path: Path, warm_server: WarmServer
) -> None:
    project = Project(tmp_path, warm_server.launch)
    for block in BLOCK.finditer(text_of(PAGE)):
        named = NAME.match(block["text"])
        assert named, block["text"]
        (tmp_path / named["name"]).parent.mkdir(exist_ok=True)
        (tmp_path / named["name"]).write_text(block["text"])
    result = project.pytest("-q", "-W", "error", "-rA")
    assert result.returncode == 0, result.output
    assert len(re.findall("^PASSED", result.output, re.MULTILINE)) == 8
    made = project.made() - {"test_shop.db-wal", "test_shop.db-shm"}
    assert made == {
        "database", "integration", "pytest.ini", "shop.py", "test_receipts.py", "test_reports.py",
        "test_send_receipt.py", "test_shop.db",
    }  # fmt: skip


def test_the_page_names_every_fixture_and_option_of_the_plugin(tmp_path: Path) -> None:
    rows = table(text_of(PAGE))
    fixtures = {row[0].strip("`") for row in rows} - {""}
    options = {row[1].strip("`") for row in rows} - {""}
    command = [sys.executable, "-m", "pytest", "-p", "pytest_tickerq", "--fixtures", "--help"]
    shown = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    listed = set(re.findall(r"^ +(tickerq_\w+) \(", shown, re.MULTILINE))
    assert options == listed
    import pytest_tickerq

    assert fixtures == {
        name for name in vars(pytest_tickerq) if name.startswith("tickerq_") and name != "tickerq"
    }


def test_the_page_names_all_that_a_test_has_in_its_hands() -> None:
    text = text_of(PAGE)
    public = [name for name in vars(TickerQTest) if not name.startswith("_")]
    assert [name for name in public if name not in text] == []
