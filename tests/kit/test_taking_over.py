"""The fixture: the application's own objects lead to the test's store, and are put back after it."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session

from tests.kit.projects import APP, Project
from tickerq_celery import CronTicker, TickerQ, TickerStatus, TimeTicker
from tickerq_celery.errors import ConfigError
from tickerq_celery.testing import TickerQTest, take_over
from tickerq_celery.testing.taking_over import tickerq_of


def test_what_the_applications_own_objects_schedule_is_in_the_tests_store(
    shop: TickerQ, tickerq: TickerQTest
) -> None:
    @shop.function("Greet", cron="0 9 * * *")
    def greet() -> None: ...

    greet.schedule()
    shop.time_tickers.add(TimeTicker(function="Greet", children=[TimeTicker(function="Greet")]))
    shop.cron_tickers.add(CronTicker(function="Greet", expression="@daily"))
    assert (shop.runs.count(), tickerq.runs.count()) == (3, 3)
    assert tickerq.cron_tickers.find(function="Greet")
    assert shop.store_url == tickerq.store_url
    assert tickerq.app is shop.app


def test_everything_is_put_back(shop: TickerQ, tmp_path: Path) -> None:
    core, url = shop.core, shop.store_url

    def use() -> None:
        with take_over(shop, folder=tmp_path) as kit:
            assert shop.core is not core
            assert shop.store_url == kit.store_url != url
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        use()
    assert shop.core is core
    assert shop.store_url == url


def test_the_folder_is_a_path_or_its_text(shop: TickerQ, tmp_path: Path) -> None:
    with take_over(shop, folder=str(tmp_path)) as kit:
        assert str(tmp_path) in kit.store_url
    absent = tmp_path / "absent"
    with (
        pytest.raises(ConfigError, match=f"^folder: there is no folder {absent}: make it first, or pass"),
        take_over(shop, folder=absent),
    ):
        pass
    wrong: Any = None
    with (
        pytest.raises(
            ConfigError, match=r"^folder: pass the path of a folder, such as tmp_path \(got None\)"
        ),
        take_over(shop, folder=wrong),
    ):
        pass


def test_event_loops_have_the_same_store(shop: TickerQ, tickerq: TickerQTest) -> None:
    @shop.function("Greet")
    async def greet() -> None: ...

    async def code_under_test() -> None:
        await shop.aio.time_tickers.add(TimeTicker("Greet"))
        async with AsyncSession(engine) as session, session.begin():
            await tickerq.aio.time_tickers.add(TimeTicker("Greet"), session=session)
        await engine.dispose()

    engine = create_async_engine(tickerq.store_url.replace("sqlite:", "sqlite+aiosqlite:"))
    asyncio.run(code_under_test())
    assert [run.status for run in tickerq.run_due()] == [TickerStatus.DONE] * 2


def test_seeders_run_when_a_test_asks_for_them(shop: TickerQ, request: pytest.FixtureRequest) -> None:
    shop.function("Greet")(lambda: None)

    @shop.seeder
    def stock(session: Session) -> None:
        shop.time_tickers.add(TimeTicker("Greet"), session=session)

    @shop.seeder(version=1)
    def more(session: Session) -> None:
        shop.cron_tickers.add(CronTicker("Greet", expression="@daily"), session=session)

    tickerq: TickerQTest = request.getfixturevalue("tickerq")
    assert (tickerq.run_due(), len(tickerq.cron_tickers.find())) == ([], 0)
    assert tickerq.run_seeders() == ["stock", "more"]
    assert (len(tickerq.run_due()), len(tickerq.cron_tickers.find())) == (1, 1)
    assert tickerq.run_seeders() == []


def test_a_seeder_that_fails_fails_the_test(shop: TickerQ, request: pytest.FixtureRequest) -> None:
    @shop.seeder
    def stock(session: Session) -> None:
        raise KeyError("no stock")

    tickerq: TickerQTest = request.getfixturevalue("tickerq")
    with pytest.raises(RuntimeError, match="seeder stock: failed; the log has the reason"):
        tickerq.run_seeders()


def test_each_test_begins_with_an_empty_store(shop: TickerQ, tmp_path: Path) -> None:
    shop.function("Greet")(lambda: None)
    for folder in (tmp_path / "one", tmp_path / "two"):
        folder.mkdir()
        with take_over(shop, folder=folder) as kit:
            assert kit.runs.count() == 0
            shop.time_tickers.add(TimeTicker(function="Greet"))
            assert [run.status for run in kit.run_due()] == [TickerStatus.DONE]


def test_an_app_is_named_by_itself_its_tickerq_or_a_path(shop: TickerQ) -> None:
    assert tickerq_of(shop) is tickerq_of(shop.app) is shop
    example = tickerq_of("examples.chain.celery_app:app")
    assert (
        example is tickerq_of("examples.chain.celery_app") is tickerq_of("examples.chain.celery_app:tickerq")
    )


@pytest.mark.parametrize(
    ("app", "message"),
    [
        ("nowhere.celery:app", "tickerq_app: cannot import 'nowhere.celery:app'"),
        ("tests.kit.projects:absent", "cannot import"),
        (7, "pass a Celery app, a TickerQ or a path"),
        (Celery("without", set_as_current=False), "has no TickerQ"),
    ],
)
def test_what_names_no_app_is_refused(app: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        tickerq_of(app)


def test_a_projects_tests_use_the_fixture_and_touch_nothing_else(project: Project) -> None:
    project.write(
        "test_shop.py",
        """
        import shop
        from tickerq_celery import TimeTicker

        def test_greeting(tickerq, capsys):
            shop.greet.schedule("Ada", delay=60)
            [run] = tickerq.assert_scheduled(shop.greet, request="Ada")
            tickerq.clock.advance(minutes=1)
            assert [each.id for each in tickerq.run_due()] == [run.id]
            assert capsys.readouterr().out == "Hello Ada\\n"

        def test_modules_that_the_app_includes_are_imported(tickerq, capsys):
            tickerq.time_tickers.add(TimeTicker("Farewell"))
            tickerq.run_due()
            assert capsys.readouterr().out == "Bye\\n"

        def test_the_store_is_another_one(tickerq):
            assert tickerq.runs.count() == 0
            assert shop.tickerq.store_url == tickerq.store_url
        """,
    )
    project.write("shop.py", APP + 'app.conf.include = ["jobs"]')
    project.write(
        "jobs.py",
        """
        from tickerq_celery import ticker_function

        @ticker_function("Farewell")
        def farewell():
            print("Bye")
        """,
    )
    result = project.pytest("-q")
    assert result.returncode == 0, result.output
    assert project.made() == {"shop.py", "jobs.py", "test_shop.py", "pytest.ini"}


def test_the_only_app_there_is_needs_no_name_and_of_several_one_is_to_be_named(project: Project) -> None:
    (project.folder / "pytest.ini").unlink()
    project.write(
        "test_shop.py",
        """
        import shop
        from celery import Celery
        from tickerq_celery import TickerQ

        def test_one(tickerq):
            assert tickerq.own is shop.tickerq

        def test_another_is_made():
            shop.other = TickerQ(Celery("other"))

        def test_several(tickerq): ...
        """,
    )
    shown = project.pytest("-q", "-rA").output
    assert "PASSED test_shop.py::test_one\n" in shown
    assert "apps with a TickerQ are imported (other, shop): name it in pytest's option tickerq_app" in shown
    assert "ERROR test_shop.py::test_several" in shown
