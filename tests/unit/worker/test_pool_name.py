"""What a worker's tasks run in, by the names of Celery's command line."""

import pytest
from celery.concurrency import get_implementation
from celery.concurrency.base import BasePool
from celery.concurrency.prefork import TaskPool

from tickerq_celery.worker.main_process import pool_name


class Careful(TaskPool):
    """A prefork pool of a user's."""


class Own(BasePool):
    """A pool of a user's."""


@pytest.mark.parametrize("name", ["prefork", "solo", "threads"])
def test_a_pool_has_the_name_that_chooses_it(name: str) -> None:
    assert pool_name(get_implementation(name)) == name


def test_a_pool_that_extends_one_of_celerys_has_its_name() -> None:
    assert pool_name(Careful) == "prefork"


def test_another_pool_has_the_name_of_its_class() -> None:
    assert pool_name(Own) == f"{__name__}.Own"
