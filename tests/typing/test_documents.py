"""A type checker refuses nothing in the examples of the documents, as far as each can be read by itself."""

from pathlib import Path

import pytest

from tests.pages import BLOCK, ROOT
from tests.typing.checkers import pyright

pytestmark = pytest.mark.verify
# What an example takes from the ones before it, or from the reader's own project.
FROM_ELSEWHERE = ("reportUndefinedVariable", "reportMissingImports", "reportMissingModuleSource")
# Of others' types: celery-types has no setter for it, and of Django's, which has none, they are guessed.
TIME_ZONE_OF_CELERY = 'Cannot assign to attribute "timezone"'
FLASK_OF_A2WSGI = 'Argument of type "Flask" cannot be assigned to parameter "app"'
ATOMIC_OF_DJANGO = 'Object of type "(...) -> object" cannot be used with "with"'


def test_pyright_refuses_nothing_in_the_documents(tmp_path: Path) -> None:
    blocks = _blocks(tmp_path)
    found = pyright(blocks, tmp_path, mode="standard", **dict.fromkeys(FROM_ELSEWHERE, False))
    assert len(blocks) > 50
    of_others = (TIME_ZONE_OF_CELERY, FLASK_OF_A2WSGI, ATOMIC_OF_DJANGO)
    assert {refusal: message for refusal, message in found.items() if not message.startswith(of_others)} == {}


def _blocks(folder: Path) -> list[Path]:
    """Write each block of Python into a file named by its page and its number, and return the files."""
    written = []
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/*/README.md")]:
        for number, block in enumerate(BLOCK.finditer(page.read_text(encoding="utf-8")), start=1):
            if block["language"] == "python":
                name = "_".join([*page.relative_to(ROOT).with_suffix("").parts, str(number)])
                written.append(folder / f"{name}.py")
                written[-1].write_text(block["text"], encoding="utf-8")
    return written
