"""The package's own files: kept by their hash, and nothing else is ever read."""

import re
from hashlib import sha256
from pathlib import Path

import pytest

from tests.dashboard.conftest import LOGIN, Visitor
from tickerq_dashboard.assets import FOLDER, read_assets


def test_a_page_names_its_files_by_their_content_and_browsers_keep_them(visitor: Visitor) -> None:
    page = visitor.get("/health").text
    links = re.findall(r'(?:href|src)="[^"]*(/static/[^"?]+)\?v=([0-9a-f]+)"', page)
    assert len(links) >= 3
    for path, version in links:
        content = (FOLDER / path.removeprefix("/static/")).read_bytes()
        assert sha256(content).hexdigest().startswith(version)
        kept = visitor.get(f"{path}?v={version}")
        assert kept.data == content
        assert kept.headers["Cache-Control"] == "private, max-age=31536000, immutable"


@pytest.mark.parametrize("query", ["", "?v=", "?v=0123456789ab"])
def test_a_file_whose_content_the_address_does_not_name_is_not_kept(visitor: Visitor, query: str) -> None:
    response = visitor.get(f"/static/icon.svg{query}")
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    again = visitor.get(
        f"/static/icon.svg{query}", headers=LOGIN | {"If-None-Match": response.headers["ETag"]}
    )
    assert (again.status_code, again.data) == (304, b"")


def test_pages_and_errors_are_never_kept(visitor: Visitor) -> None:
    for path in ("/", "/health", "/static/nope?v=1", "/nope", "/livez"):
        assert visitor.get(path).headers["Cache-Control"] == "no-store"


def test_only_files_that_were_there_at_the_start_are_answered(visitor: Visitor) -> None:
    for path in (
        "",
        "vendor",
        "..",
        "../app.py",
        "..%2fapp.py",
        "%2e%2e/app.py",
        "..%5capp.py",
        "/etc/passwd",
    ):
        response = visitor.get(f"/static/{path}")
        assert response.status_code == 404, path
        assert "create_blueprint" not in response.text


def test_a_file_changes_its_version_with_its_content_and_has_its_own_type(tmp_path: Path) -> None:
    (tmp_path / "vendor").mkdir()
    for name in ("a.css", "vendor/b.js", "c.svg", "vendor/LICENSE"):
        (tmp_path / name).write_text(name)
    before = read_assets(tmp_path)
    (tmp_path / "a.css").write_text("other")
    after = read_assets(tmp_path)
    assert before.version("a.css") != after.version("a.css")
    assert before.version("c.svg") == after.version("c.svg")
    types = {name: asset.mimetype for name, asset in after.files.items()}
    assert types == {
        "a.css": "text/css",
        "c.svg": "image/svg+xml",
        "vendor/LICENSE": "text/plain",
        "vendor/b.js": "text/javascript",
    }
