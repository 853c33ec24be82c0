"""Each field of a ticker and each criterion of runs is on each surface, or a rule says why not."""

import inspect
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta
from typing import Any, get_args, get_type_hints, is_typeddict
from urllib.parse import urlencode
from uuid import UUID

import click
import pytest
from click.testing import CliRunner

from tests.dashboard.access.users import SECRET, by_role
from tests.dashboard.actions.forms import Person
from tests.dashboard.forms.filling import fields_of, fill
from tests.dashboard.page_text import text_in
from tests.inner import celery_command
from tests.integration.apps import sending_app
from tests.manual_clock import START, ManualClock
from tests.pages import names, section, table
from tickerq_celery import Cron, CronTicker, Run, TickerQ, TimeTicker, typing
from tickerq_celery.errors import UnknownKeywordError
from tickerq_celery.typing import AsyncCronTickers, AsyncRuns, AsyncTimeTickers
from tickerq_dashboard import create_app
from tickerq_dashboard.api.openapi import description
from tickerq_dashboard.routes import ROUTES

RUN, CRON, CRITERION = "run", "cron", "criterion"
# The names that a surface lacks, of one of these.
Lacking = Mapping[tuple[str, str], set[str]]


@dataclass(frozen=True, slots=True)
class Rule:
    """What these surfaces lack, and why; ``of`` is a run, a cron ticker or a criterion, or either ticker."""

    surfaces: str
    names: str
    why: str
    of: str = f"{RUN} {CRON}"


RULES = (
    Rule("views answer form", "task", "a task's name is stored as the function's, of a kind of its own"),
    Rule("views", "args kwargs options", "they are the request of a task"),
    Rule("answer", "request args kwargs options", "payloads have an address of their own, and a right"),
    Rule("views answer", "delay", "it is counted from the moment of the call, and stored as a moment"),
    Rule("views answer", "children", "they are runs of their own, which `chains` reads", RUN),
    Rule("typing add update API", "run_condition", "it is of a child, which stands below `children`"),
    Rule("update", "unique_key", "it is fixed: another one may have the new one", RUN),
    Rule("typing update API form", "namespace", "it is fixed, and only code and `add` name another one's"),
    Rule("form", "execution_time", "it is typed in two parts, `at` and `zone`"),
    Rule("API form page", "is_published", "the dashboard has it as a status: `published`", CRITERION),
)
MOST_RULES = 10

# A value of each field, and how a reader is shown it, on the page or by `show`: no number of a clock.
SHOWN: Mapping[str, tuple[Any, str]] = {
    "function": ("Send", r"\bSend\b"),
    "task": ("shop.bill", r"\bshop\.bill\b"),
    "args": (["arg-11"], "arg-11"),
    "kwargs": ({"to": "kwarg-13"}, "kwarg-13"),
    "options": ({"headers": {"of": "option-17"}}, "option-17"),
    "on_lost": ("retry", "(?i)if its worker dies"),
    "execution_time": (datetime(2031, 5, 7, 9, tzinfo=UTC), "2031-05-07"),
    "delay": (timedelta(days=4_000), (START + timedelta(days=4_000)).date().isoformat()),
    "request": ({"to": "request-19"}, "request-19"),
    "description": ("description-23", "description-23"),
    "retries": (83, r"\b83\b"),
    "retry_intervals": ([31], r"\b31 ?s\b"),
    "timeout": (37, r"\b37 ?s\b"),
    "hard_timeout": (41, r"\b41 ?s\b"),
    "priority": ("long_running", r"\blong[ _]running\b"),
    "queue": ("queue-43", "queue-43"),
    "concurrency_key": ("key-47", "key-47"),
    "tags": (["tag-53"], "tag-53"),
    "unique_key": ("unique-59", "unique-59"),
    "namespace": ("parity", r"\bparity\b"),
    "run_condition": ("on_failure_or_cancelled", r"on[ _]failure[ _]or[ _](if )?cancelled"),
    "children": ((TimeTicker("Follow", run_condition="on_failure_or_cancelled"),), r"\bFollow\b"),
    "expression": ("13 5 7 * 3", re.escape("13 5 7 * 3")),
    "every": (timedelta(hours=5), r"\b5 ?h\b"),
    "time_zone": ("Asia/Tokyo", "Asia/Tokyo"),
    "day_or": (True, r"\beither\b"),
    "start_at": (datetime(2032, 5, 7, 9, tzinfo=UTC), "2032-05-07"),
    "end_at": (datetime(2033, 5, 7, 9, tzinfo=UTC), "2033-05-07"),
    "max_runs": (61, r"\b61\b"),
    "exclude": ([date(2034, 5, 7)], "2034-05-07"),
    "jitter": (43, r"\b43 ?s\b"),
    "is_enabled": (False, r"(?i)\bpaused\b"),
    "misfire": ("run_all", r"all that was missed runs|\brun_all\b"),
    "misfire_limit": (67, r"\b67\b"),
    "misfire_grace": (47, r"\b47 ?s\b"),
    "overlap": ("buffer_one", r"one new one waits|\bbuffer_one\b"),
    "pause_on_failure": (71, r"\b71\b"),
}
# What only one of both tickers of a kind has: that of a function, that of a task.
OF_FUNCTIONS = {
    "function", "request", "retries", "retry_intervals", "timeout", "hard_timeout", "concurrency_key",
    "unique_key", "execution_time", "expression", "day_or",
}  # fmt: skip
OF_TASKS = {"task", "args", "kwargs", "options", "on_lost", "delay", "every"}
OF_CHILDREN = {"run_condition"}
CRITERIA = set(get_type_hints(typing.RunCriteria))
# What a criterion may be asked for, by a part of its name: the first that fits.
ASKED = {
    "task_id": "one",
    "_id": str(UUID(int=1)),
    "_from": START.isoformat(),
    "_until": START.isoformat(),
    "is_": "1",
    "_known": "1",
    "min_": "90",
    "kind": "function",
    "status": "failed",
    "held_for": "paused",
    "type": "time",
    "priority": "high",
    "origin": "added",
    "": "word",
}


class World:
    """A store with a run and a cron ticker of a function and of a task, and the ways to look at them."""

    def __init__(self, tickerq: TickerQ) -> None:
        self.tickerq = tickerq
        self.admin = Person(create_app(tickerq, auth=by_role, secret=SECRET).test_client())
        described = description(ROUTES, "/").model_dump(mode="json")
        self.paths, self._schemas = described["paths"], described["components"]["schemas"]
        self._ids = {kind: [*self._added(kind)] for kind in (TimeTicker, CronTicker)}

    def _added(self, kind: type[Any]) -> Iterator[UUID]:
        managers = {TimeTicker: self.tickerq.time_tickers, CronTicker: self.tickerq.cron_tickers}
        for others in (OF_TASKS, OF_FUNCTIONS):
            but = others | OF_CHILDREN
            given = {each.name: SHOWN[each.name][0] for each in fields(kind) if each.name not in but}
            yield managers[kind].add(kind(**given)).id
        if kind is TimeTicker:
            yield self.tickerq.runs.find(function="Follow")[0].id

    def seen(self, kind: type[Any], look: Callable[[UUID], str]) -> set[str]:
        """Return the fields whose value is shown where one looks at the tickers of a kind."""
        texts = [look(each) for each in self._ids[kind]]
        return {name for name, (_, words) in SHOWN.items() if any(re.search(words, each) for each in texts)}

    def sent(self, path: str, method: str) -> set[str]:
        """Return the fields that an address of the API takes."""
        [content] = self.paths[path][method]["requestBody"]["content"].values()
        return self._properties(content["schema"])

    def answered(self, *paths: str) -> set[str]:
        """Return the fields that addresses of the API return."""
        answers = [self.paths[each]["get"]["responses"]["200"]["content"] for each in paths]
        return {name for each in answers for name in self._properties(each["application/json"]["schema"])}

    def _properties(self, schema: Mapping[str, str]) -> set[str]:
        return set(self._schemas[schema["$ref"].rpartition("/")[2]]["properties"])

    def typed(self, *words: str) -> str:
        """Return what a command writes."""
        result = CliRunner().invoke(celery_command, words, obj=self.tickerq.app)
        assert result.exit_code == 0, result.output
        return result.stdout


@pytest.fixture(scope="module")
def world(schema_url: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    own = tmp_path_factory.mktemp("parity") / "tickers.db"
    shutil.copyfile(schema_url("sqlite").removeprefix("sqlite:///"), own)
    with sending_app(f"sqlite:///{own}", "parity", ManualClock()) as tickerq:
        tickerq.function("Follow")(lambda context: None)

        @tickerq.app.task(name="shop.bill", shared=False)
        def bill(*args: str, to: str) -> None: ...

        yield World(tickerq)


def taken(verb: Callable[..., Any]) -> set[str]:
    """Return the names that a call takes as keywords, or as fields of what it is given."""
    found: set[str] = set()
    for hint in get_type_hints(inspect.unwrap(verb)).values():
        for each in (hint, *get_args(hint)):
            if is_typeddict(each):
                found |= get_type_hints(each).keys()
            elif each in (TimeTicker, CronTicker):
                found |= {field.name for field in fields(each)}
    return found


def keywords(*dicts: str) -> set[str]:
    """Return the keywords of calls that a type checker knows."""
    return {name for each in dicts for name in get_type_hints(getattr(typing, each))}


def options(*commands: str) -> set[str]:
    """Return the names of what commands take."""
    context = click.Context(celery_command)
    found = [celery_command.get_command(context, name) for name in commands]
    return {str(parameter.name) for command in found if command for parameter in command.params}


def attributes(view: type) -> set[str]:
    """Return the fields and properties of a view."""
    return {name for name in dir(view) if not name.startswith("_")}


def documented(document: str, heading: str) -> set[str]:
    return set(names([row[0] for row in table(section(document, heading))]))


def inputs_of_form(world: World, path: str) -> set[str]:
    """Return the names of the inputs of a form, and of those of a child that is added."""
    pages = [world.admin.get(path).text, fill(world.admin, path, {}, step="add:").text]
    return {part for page in pages for name in fields_of(page) for part in name.split(".")}


def shown_on_page(world: World, ticker: type, path: str) -> set[str]:
    return world.seen(ticker, lambda each: text_in(world.admin.get(f"{path}/{each}").text))


def shown_by_command(world: World, ticker: type) -> set[str]:
    return world.seen(ticker, lambda each: world.typed("show", str(each)))


def criteria_of_calls(world: World) -> set[str]:
    """Return the criteria that ``find`` takes; None means any."""
    found = set()
    for name in CRITERIA:
        with suppress(UnknownKeywordError):
            world.tickerq.runs.find(limit=1, **{name: None})
            found.add(name)
    return found


def criteria_of_pages(world: World) -> set[str]:
    """Return the criteria that a list keeps when more is asked."""
    found = set()
    for name in CRITERIA:
        words = {"queue": "slow", name: next(text for part, text in ASKED.items() if part in name)}
        page = world.admin.get(f"/runs?{urlencode(words)}")
        if page.status_code == 200 and f'name="{name}" value="' in page.text:
            found.add(name)
    return found


SURFACES: Mapping[str, Mapping[str, Callable[[World], set[str]]]] = {
    RUN: {
        "views": lambda world: attributes(Run),
        "typing": lambda world: keywords(
            "ScheduleOptions", "TaskScheduleOptions", "TimeTickerChanges", "CloneChanges"
        ),
        "aio": lambda world: taken(AsyncTimeTickers.add),
        "add": lambda world: options("add"),
        "update": lambda world: options("update"),
        "show": lambda world: shown_by_command(world, TimeTicker),
        "API": lambda world: world.sent("/runs", "post"),
        "answer": lambda world: world.answered("/runs/{run_id}"),
        "form": lambda world: inputs_of_form(world, "/runs/new"),
        "page": lambda world: shown_on_page(world, TimeTicker, "/runs"),
        "docs": lambda world: documented("docs/reference/fields.md", "## `TimeTicker`"),
    },
    CRON: {
        "views": lambda world: attributes(Cron),
        "typing": lambda world: keywords("CronTickerChanges"),
        "aio": lambda world: taken(AsyncCronTickers.add),
        "add": lambda world: options("add"),
        "update": lambda world: options("update"),
        "show": lambda world: shown_by_command(world, CronTicker),
        "API": lambda world: world.sent("/crons", "post"),
        "answer": lambda world: world.answered("/crons/{cron_id}", "/crons/{cron_id}/payload"),
        "form": lambda world: inputs_of_form(world, "/crons/new"),
        "page": lambda world: shown_on_page(world, CronTicker, "/crons"),
        "docs": lambda world: documented("docs/reference/fields.md", "## `CronTicker`"),
    },
    CRITERION: {
        "inputs": criteria_of_calls,
        "typing": lambda world: keywords("RunFilters"),
        "aio": lambda world: taken(AsyncRuns.find),
        "command line": lambda world: options("runs", "cancel", "export"),
        "API": lambda world: {each["name"] for each in world.paths["/runs"]["get"]["parameters"]},
        "form": lambda world: set(re.findall(r"<code>(\w+):</code>", world.admin.get("/help").text)),
        "page": criteria_of_pages,
        "docs": lambda world: documented("docs/reference/reading.md", "## Reading"),
    },
}
NAMES = {
    RUN: {each.name for each in fields(TimeTicker)},
    CRON: {each.name for each in fields(CronTicker)},
    CRITERION: CRITERIA,
}


@pytest.fixture(scope="module")
def lacking(world: World) -> Lacking:
    """What each surface lacks, of a run, of a cron ticker, and of criteria."""
    return {
        (of, surface): NAMES[of] - find(world)
        for of, surfaces in SURFACES.items()
        for surface, find in surfaces.items()
    }


def excepted(of: str, surface: str) -> set[str]:
    rules = [rule for rule in RULES if of in rule.of.split() and surface in rule.surfaces.split()]
    return {name for rule in rules for name in rule.names.split()}


def test_each_surface_has_each_name_or_a_rule_says_why_not(lacking: Lacking) -> None:
    gaps = {cell: sorted(each - excepted(*cell)) for cell, each in lacking.items()}
    lines = [f"{of} × {surface}: {', '.join(each)}" for (of, surface), each in gaps.items() if each]
    assert not lines, "\n".join(["these lack", *lines])


def test_the_rules_are_few_and_each_is_needed(lacking: Lacking) -> None:
    needless = [
        (rule.why, surface, name)
        for rule in RULES
        for surface in rule.surfaces.split()
        for name in rule.names.split()
        if not any(name in lacking.get((of, surface), ()) for of in rule.of.split())
    ]
    assert needless == []
    assert len(RULES) <= MOST_RULES
