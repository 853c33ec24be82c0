"""Where several processes share the files, long ones run beside short ones, and none is the last."""

from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from tests.order import mixed


class Item:
    """A test, as far as its order goes."""

    def __init__(self, file: str) -> None:
        self.path = Path("tests") / file


def order_of(*files: str) -> list[str]:
    items: Any = [Item(file) for file in files for _ in range(2)]
    assert all(len(list(tests)) == 2 for _, tests in groupby(mixed(items), lambda item: item.path))
    return [item.path.stem for item in mixed(items)[::2]]


def test_long_files_are_spread_over_the_first_half() -> None:
    short = [f"unit/{number}.py" for number in range(8)]
    found = order_of("acceptance/a.py", *short, "windows/w.py")
    assert found == ["a", "0", "1", "w", "2", "3", "4", "5", "6", "7"]


def test_long_files_of_one_folder_are_not_together() -> None:
    short = [f"unit/{number}.py" for number in range(8)]
    found = order_of("acceptance/b.py", "acceptance/z.py", "plans/p.py", "windows/a.py", *short)
    assert found == ["a", "0", "b", "1", "p", "2", "z", *map(str, range(3, 8))]


@pytest.mark.parametrize(
    "files", [["unit/1.py"], ["windows/w.py", "windows/x.py"], ["unit/1.py", "windows/w.py"]]
)
def test_every_file_is_there_once(files: list[str]) -> None:
    assert sorted(order_of(*files)) == sorted(Path(file).stem for file in files)
