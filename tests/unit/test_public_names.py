"""What users may import: named by the pages of the API, complete, and what it says it is."""

import re
from pathlib import Path

from tests.pages import names, section, table
from tests.public_names import DOORS, INNER, PACKAGE, importable, public_names, types_met

ROOT = Path(__file__).parents[2]
API = "docs/reference/api"


def test_the_pages_of_the_api_name_every_public_name_and_no_other() -> None:
    rows = table(section(f"{API}/{PACKAGE}.md", f"# `{PACKAGE}`"))
    assert [row[0] for row in rows if not row[1]] == []
    written = {
        f"{PACKAGE}.{door}": sorted(names([section(f"{API}/{door}.md", f"# `{PACKAGE}.{door}`")]))
        for door in DOORS
    }
    written[PACKAGE] = sorted(name for row in rows for name in names([row[0]]))
    assert written == public_names()


def test_each_type_that_a_user_meets_is_importable_from_a_public_module() -> None:
    public = importable()
    missing = {
        f"{kind.__module__}.{kind.__qualname__}": place
        for kind, place in types_met().items()
        if kind not in public
    }
    assert missing == {}


def test_what_users_meet_is_found() -> None:
    found = {kind.__name__ for kind in types_met()}
    assert {"HoldReason", "OnConflict", "OnLost", "Page", "Pause", "Explanation", "RunManager"} <= found


def test_no_page_names_what_is_of_the_inside() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    calls = [rf"tickerq\.{name.partition('.')[2]}\b" for name in INNER if name.startswith("TickerQ.")]
    wrong = [page.name for page in pages for call in calls if re.search(call, page.read_text("utf-8"))]
    assert wrong == []
