"""mypy and pyright refuse what is wrong in the files of ``uses``, each line by its rule, and nothing else."""

from pathlib import Path

import pytest

from tests.typing.checkers import expected, reported_by_mypy, reported_by_pyright

pytestmark = pytest.mark.verify
USES = Path(__file__).parent / "uses"


def test_mypy_refuses_the_wrong_uses_and_no_other(pytestconfig: pytest.Config) -> None:
    cache = pytestconfig.cache.mkdir("mypy")
    assert reported_by_mypy([USES], cache) == expected(USES, "mypy")


def test_pyright_refuses_the_wrong_uses_and_no_other(tmp_path: Path) -> None:
    assert reported_by_pyright([USES], tmp_path) == expected(USES, "pyright")
