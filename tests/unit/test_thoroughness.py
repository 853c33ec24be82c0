"""What a run of the tests leaves to a longer one: each case has its run, a quick run has each test once."""

import pytest

from tests import parts

pytest_plugins = ["pytester"]
# A test of tests.
pytestmark = pytest.mark.verify

CONFTEST = """
import pytest
from tests import thoroughness

@pytest.hookimpl(wrapper=True)
def pytest_generate_tests(metafunc):
    yield
    thoroughness.choose(metafunc)

def pytest_collection_modifyitems(config, items):
    thoroughness.select(config, items)

@pytest.fixture(params=["sqlite", "postgres", "mariadb"])
def store_url(request):
    return request.param

@pytest.fixture
def broker_url(request):
    return request.param

def pytest_configure(config):
    for name in ("verify", "proof", "row_locks", "every_database", "each_pair_alike"):
        config.addinivalue_line("markers", name)
"""
TESTS = """
import pytest
from tests.thoroughness import in_proof, in_verify

def test_plain(): ...
def test_stored(store_url): ...

@pytest.mark.row_locks
def test_locking(store_url): ...

@pytest.mark.every_database
@pytest.mark.parametrize("number", range(60))
def test_dialects(store_url, number): ...

@pytest.mark.parametrize("store_url", ["postgres", "mariadb"], indirect=True)
def test_servers(store_url): ...

@pytest.mark.parametrize("store_url", [in_verify("postgres"), "sqlite", in_verify("mariadb")], indirect=True)
@pytest.mark.parametrize("number", range(9))
def test_chosen(store_url, number): ...

@pytest.mark.parametrize("broker_url", ["redis", "rabbitmq"])
def test_brokers(store_url, broker_url): ...

@pytest.mark.parametrize("broker_url", ["redis", "rabbitmq", "files"], indirect=True)
def test_pairs(store_url, broker_url): ...

@pytest.mark.parametrize("number", range(60))
def test_many(store_url, number): ...

@pytest.mark.parametrize("size", [1, in_verify(2), in_proof(3)])
def test_sizes(size): ...
"""
TABLES = """
import pytest
from tests.thoroughness import in_verify

@pytest.mark.parametrize("number", range(9))
def test_table(store_url, number): ...

@pytest.mark.parametrize("number", [1, 2, in_verify(3), in_verify(4)])
def test_few(number): ...
"""


class Collected:
    """The cases that a run would have, by the environment that it is started in."""

    def __init__(self, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
        self._pytester = pytester
        self._monkeypatch = monkeypatch
        monkeypatch.setenv("TICKERQ_REQUIRE_SERVICES", "1")
        for name in ("VERIFY", "PROOF", "SLICE", "TICKERQ_PART"):
            monkeypatch.delenv(name, raising=False)
        pytester.makeconftest(CONFTEST)
        pytester.makepyfile(**{"unit/test_cases": TESTS, "stores/test_tables": TABLES})

    def cases(self, *arguments: str, **environment: str) -> list[str]:
        for name, value in environment.items():
            self._monkeypatch.setenv(name, value)
        run = self._pytester.inline_run("--collect-only", "-q", *arguments)
        [(items,)] = [(call.session.items,) for call in run.getcalls("pytest_collection_finish")]
        for name in environment:
            self._monkeypatch.delenv(name)
        return [item.name for item in items]


@pytest.fixture
def collected(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Collected:
    return Collected(pytester, monkeypatch)


def named(cases: list[str], name: str) -> list[str]:
    return [case for case in cases if case.startswith(name)]


def test_a_quick_run_has_each_test_on_one_database(collected: Collected) -> None:
    cases = collected.cases()
    assert len(named(cases, "test_plain")) == len(named(cases, "test_stored")) == 1
    assert len(named(cases, "test_dialects")) == 60
    assert len(named(cases, "test_servers")) == 1
    assert named(cases, "test_chosen") == [f"test_chosen[{number}-sqlite]" for number in range(9)]
    assert len(named(cases, "test_brokers")) == 2
    assert named(cases, "test_sizes") == ["test_sizes[1]"]


def test_of_many_tests_most_run_on_sqlite_and_some_on_each_server(collected: Collected) -> None:
    on = counted(named(collected.cases(), "test_many"))
    assert sum(on.values()) == 60
    assert on["sqlite"] > 30
    assert min(on.values()) > 1


def test_a_quick_run_has_one_case_of_a_table_that_is_no_unit_tests(collected: Collected) -> None:
    cases = collected.cases()
    assert len(named(cases, "test_table")) == len(named(cases, "test_few")) == 1


def test_what_can_fail_on_each_database_in_its_own_way_runs_as_often_on_each(collected: Collected) -> None:
    on = counted(named(collected.cases(), "test_dialects"))
    assert sum(on.values()) == 60
    assert min(on.values()) > 12


def counted(cases: list[str]) -> dict[str, int]:
    return {kind: sum(kind in case for case in cases) for kind in ("sqlite", "postgres", "mariadb")}


def test_a_race_for_row_locks_never_runs_where_there_are_none(collected: Collected) -> None:
    assert "test_locking[sqlite]" not in collected.cases()


def test_quick_and_verify_together_have_every_case_but_the_proofs_and_none_twice(
    collected: Collected,
) -> None:
    quick, verify = collected.cases(), collected.cases("-m", "verify", VERIFY="1")
    everything = collected.cases(PROOF="1")
    proofs = collected.cases("-m", "proof", PROOF="1")
    assert sorted([*quick, *verify, *proofs]) == sorted(everything)
    assert "test_sizes[3]" in proofs


def test_quick_and_verify_together_have_each_database_and_each_broker_and_the_proofs_the_other_pairs(
    collected: Collected,
) -> None:
    quick, verify = collected.cases(), collected.cases("-m", "verify", VERIFY="1")
    pairs = [
        case.removeprefix("test_pairs[").rstrip("]").split("-")
        for case in named([*quick, *verify], "test_pairs")
    ]
    assert len(named(quick, "test_pairs")) == 3
    assert {kind for pair in pairs for kind in pair} == {
        "sqlite",
        "postgres",
        "mariadb",
        "redis",
        "rabbitmq",
        "files",
    }
    assert 3 < len(pairs) <= 5
    assert len(named(collected.cases("-m", "proof", PROOF="1"), "test_pairs")) == 9 - len(pairs)


def test_the_slices_of_the_proofs_make_up_all_of_them(collected: Collected) -> None:
    slices = [collected.cases("-m", "proof", PROOF="1", SLICE=f"{number}/2") for number in range(2)]
    assert sorted(case for part in slices for case in part) == sorted(
        collected.cases("-m", "proof", PROOF="1")
    )
    assert min(map(len, slices)) > 1


def test_the_parts_of_verify_hold_whole_files_and_make_up_all_of_it(
    collected: Collected, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "TESTS", pytester.path)
    of_each = [collected.cases("-m", "verify", VERIFY="1", TICKERQ_PART=number) for number in "123"]
    assert sorted(case for cases in of_each for case in cases) == sorted(
        collected.cases("-m", "verify", VERIFY="1")
    )
    # There are two files, so that one part has none.
    assert sorted(map(bool, of_each)) == [False, True, True]


def test_a_case_that_is_named_runs(collected: Collected) -> None:
    names = collected.cases("unit/test_cases.py::test_sizes[3]")
    assert names == ["test_sizes[3]"]
