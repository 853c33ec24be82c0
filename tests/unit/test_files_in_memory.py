"""Where the tests make their temporary files."""

import tempfile
from pathlib import Path

import pytest

from tests.files_in_memory import keep_files_in_memory


@pytest.fixture(autouse=True)
def _plain_tempdir(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", tempfile.tempdir)


def test_files_are_kept_in_memory_that_has_room(tmp_path: Path) -> None:
    environ: dict[str, str] = {}
    keep_files_in_memory(environ, tmp_path, enough=1)
    assert environ == {"TMPDIR": str(tmp_path)}


def test_a_tmpdir_that_is_set_stays(tmp_path: Path) -> None:
    environ = {"TMPDIR": "/elsewhere"}
    keep_files_in_memory(environ, tmp_path, enough=1)
    assert environ == {"TMPDIR": "/elsewhere"}


@pytest.mark.parametrize(("memory", "enough"), [("", 2**80), ("missing", 1)])
def test_small_or_missing_memory_is_left_alone(tmp_path: Path, memory: str, enough: int) -> None:
    environ: dict[str, str] = {}
    keep_files_in_memory(environ, tmp_path / memory, enough)
    assert environ == {}
