"""The table of windows leaves nothing out."""

from tests.windows.windows import WINDOWS, pairs_of
from tickerq_celery.failpoints import Place


def test_every_place_at_which_a_process_can_be_killed_is_in_the_table() -> None:
    assert {window.place for window in WINDOWS} - {None} == set(Place)


def test_every_window_of_the_protocol_is_in_the_table_under_a_name_of_its_own() -> None:
    assert {window.id for window in WINDOWS} == {f"W{number}" for number in range(1, 15)}
    assert len({window.name for window in WINDOWS}) == len(WINDOWS)


def test_a_quick_run_tries_each_window_once_and_each_database_with_each_broker() -> None:
    pairs = [pairs_of(window, is_thorough=False) for window in WINDOWS]
    assert {len(each) for each in pairs} == {1}
    assert len({pair for each in pairs for pair in each}) == 9


def test_a_thorough_run_tries_each_window_on_each_database_and_where_it_matters_on_each_broker() -> None:
    for window in WINDOWS:
        pairs = pairs_of(window, is_thorough=True)
        assert {pair.store for pair in pairs} == {"sqlite", "postgres", "mariadb"}
        assert {pair.broker for pair in pairs} == {"fs", "redis", "rabbitmq"}
        assert len(set(pairs)) == len(pairs) == (9 if window.involves_broker else 3)
