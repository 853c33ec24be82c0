"""What is vendored is what the lock file says, and what the notices say."""

import gzip
import hashlib
import json
import re
from pathlib import Path

import pytest

import tickerq_dashboard

PACKAGE = Path(tickerq_dashboard.__file__).parent
STATIC = PACKAGE / "static"
LOCK = json.loads((STATIC / "vendor.lock.json").read_text(encoding="utf-8"))

LOCK_SCRIPTS = [name for name in LOCK["sha256"] if name.endswith(".js")]


def test_every_vendored_file_is_locked_by_its_hash() -> None:
    files = [STATIC / "icons.svg", *(path for path in (STATIC / "vendor").rglob("*") if path.is_file())]
    found = {
        path.relative_to(STATIC).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files
    }
    assert found == LOCK["sha256"]


def test_every_vendored_package_has_its_licence_and_its_notice() -> None:
    notices = (PACKAGE.parents[1] / "THIRD_PARTY_NOTICES.md").read_text(encoding="utf-8")
    for name, package in LOCK["packages"].items():
        assert package["version"] in notices
        assert name.removesuffix("-static") in notices.lower()
    for folder in (STATIC / "vendor").iterdir():
        assert (folder / "LICENSE").is_file()


@pytest.mark.parametrize(
    ("names", "most"), [(["tq.css"], 20), (["tq.js"], 12), (["tq.js", *LOCK_SCRIPTS], 20)], ids=str
)
def test_what_a_browser_loads_once_is_small(names: list[str], most: int) -> None:
    sizes = [len(gzip.compress((STATIC / name).read_bytes(), 9)) for name in names]
    assert 0 < sum(sizes) <= most * 1024


def test_the_checker_of_the_script_is_locked_by_its_hash_and_by_no_host() -> None:
    lock = json.loads((PACKAGE.parents[1] / "scripts" / "typescript" / "package-lock.json").read_text())
    [checker] = [package for name, package in lock["packages"].items() if name]
    assert checker["integrity"].startswith("sha512-")
    assert "resolved" not in checker
    assert (STATIC / "tq.js").read_text(encoding="utf-8").startswith("// @ts-check\n")


def test_every_icon_that_a_template_names_is_in_the_sprite() -> None:
    symbols = set(re.findall(r'<symbol id="([^"]+)"', (STATIC / "icons.svg").read_text(encoding="utf-8")))
    texts = [path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.html")]
    named = {name for text in texts for name in re.findall(r'icon\("([a-z-]+)"', text)}
    signs = {f"s-{name}" for text in texts for name in re.findall(r'sign\("([a-z-]+)"', text)}
    assert named
    assert named | signs <= symbols
