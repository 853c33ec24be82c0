"""mypy and pyright refuse what is wrong in the files of ``uses``, each line by its rule, and nothing else."""

from pathlib import Path

import pytest

from tests.typing.checkers import differences, expected, mypy, pyright

pytestmark = pytest.mark.verify
EXAMPLES = Path(__file__).parents[2] / "examples"
USES = sorted((Path(__file__).parent / "uses").glob("*.py"))


def test_mypy_refuses_the_wrong_uses_and_no_other(pytestconfig: pytest.Config) -> None:
    folder = pytestconfig.cache.mkdir("mypy")
    assert differences(mypy(USES, folder), expected(USES, "mypy")) == []


def test_pyright_refuses_the_wrong_uses_and_no_other(tmp_path: Path) -> None:
    assert differences(pyright(USES, tmp_path), expected(USES, "pyright")) == []


def test_mypy_refuses_nothing_in_the_examples(pytestconfig: pytest.Config) -> None:
    assert mypy([EXAMPLES], pytestconfig.cache.mkdir("mypy")) == {}


def test_pyright_refuses_nothing_in_the_examples(tmp_path: Path) -> None:
    # Its strict mode wants stubs of their own modules, too.
    assert pyright([EXAMPLES], tmp_path, mode="standard") == {}
