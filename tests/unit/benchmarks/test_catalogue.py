"""What is measured exists: functions of this project, and of each peer its pinned requirements."""

import ast
import inspect
from importlib import import_module

import pytest

from benchmarks.catalogue import MEASURES
from benchmarks.environments import REQUIREMENTS, ROOT, pinned
from benchmarks.machine import PEERS
from benchmarks.subjects import Subject
from tests.pages import names, table, text_of

SUBJECTS = [each for measure in MEASURES.values() for each in measure.subjects]
OURS = [each for each in SUBJECTS if each.environment is None]
OTHERS = [each for each in SUBJECTS if each.environment is not None]


def keywords_of(subject: Subject) -> set[str]:
    given = {"store_url": subject.store, "broker_url": subject.broker}
    return {"count", *subject.keywords, *(name for name, kind in given.items() if kind)}


@pytest.mark.parametrize("subject", OURS, ids=lambda each: f"{each.path}, {each.name}")
def test_a_measure_of_ours_takes_what_it_is_called_with(subject: Subject) -> None:
    module, _, name = subject.path.partition(":")
    inspect.signature(getattr(import_module(module), name)).bind(**dict.fromkeys(keywords_of(subject)))


@pytest.mark.parametrize("subject", OTHERS, ids=lambda each: f"{each.path}, {each.name}")
def test_a_measure_of_a_peer_takes_what_it_is_called_with(subject: Subject) -> None:
    # Read, since what it imports is in the peer's environment only.
    module, _, name = subject.path.partition(":")
    tree = ast.parse((ROOT / f"{module.replace('.', '/')}.py").read_text())
    [found] = [each for each in tree.body if isinstance(each, ast.FunctionDef) and each.name == name]
    parameters = [each.arg for each in found.args.kwonlyargs]
    required = {
        each for each, default in zip(parameters, found.args.kw_defaults, strict=True) if default is None
    }
    assert required <= keywords_of(subject) <= set(parameters)


def test_each_peer_has_requirements_that_pin_what_the_page_names() -> None:
    used = {str(each.environment) for each in OTHERS}
    assert used == set(PEERS) == {path.stem for path in REQUIREMENTS.glob("*.txt")}
    assert all(pinned(environment, package) for environment in used for package in PEERS[environment])


def test_every_requirement_is_pinned() -> None:
    lines = [line for path in REQUIREMENTS.glob("*.txt") for line in path.read_text().splitlines()]
    assert [line for line in lines if line.count("==") != 1] == []


def test_a_quick_run_does_no_more_than_a_full_one() -> None:
    assert [each.name for each in SUBJECTS if not 0 < each.quick <= each.count] == []


def test_the_page_of_benchmarks_names_each_measure() -> None:
    rows = table(text_of("docs/how-it-works/benchmarks/README.md"))
    words = {"yes, and with `QUICK=1`": (True, True), "yes": (True, False), "no": (False, True)}
    assert {names([row[0]])[0]: words[row[2]] for row in rows} == {
        name: (measure.is_default, measure.is_quick) for name, measure in MEASURES.items()
    }
