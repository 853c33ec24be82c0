"""The table of all that changes something: by a manager, by the command line, and by the API."""

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from datetime import timedelta
from operator import attrgetter
from typing import Any

from tests.manual_clock import START
from tests.surfaces.things import (
    IN_AN_HOUR,
    SECRET,
    Making,
    Names,
    cancelled,
    chain,
    cron,
    edited,
    expression,
    failed_chain,
    job,
    key_that_is_taken,
    nothing_yet,
    of,
    paused,
    paused_tag,
    running,
    skipping,
    stopped_job,
    tagged,
    waiting,
)
from tickerq_celery import CronTicker, TickerQ, TimeTicker
from tickerq_celery.typing import Managers

Call = Callable[..., Any]
Body = Callable[[Names], Mapping[str, Any]]
SINCE, UNTIL = START - timedelta(days=2), START
WORDS = {"request": f'"{SECRET}"', "since": SINCE.isoformat(), "until": UNTIL.isoformat()}
SEEN = frozenset({"reason", "expected"})
WHY = frozenset({"reason"})
NOTHING: frozenset[str] = frozenset()


def on_one(verb: str, **given: Any) -> Call:
    """Return a verb of a manager that is about one thing."""
    return lambda all, names, **keywords: attrgetter(verb)(all)(names[0], **given, **keywords)


def on_many(verb: str) -> Call:
    """Return a verb of a manager that is about several things."""
    return lambda all, names, **keywords: attrgetter(verb)(all)(names, **keywords)


def changes(verb: str) -> Call:
    """Return a verb of a manager that changes several things."""
    return lambda all, names, **keywords: attrgetter(verb)(all)(
        {name: {"retries": 3} for name in names}, **keywords
    )


@dataclass(frozen=True, slots=True)
class Act:
    """A verb of a manager, and how it is said elsewhere.

    Args:
        verb: Its name.
        done_to: What makes the things to which it is done; their names stand in ``words`` and ``route``.
        refused_of: What makes things to which it cannot be done.
        words: The command; None where the command line lacks it.
        route: The API's method and path; None where the API lacks it.
        body: What is sent besides.
        variant: What tells it from another act of the same verb.
        action: As what the audit has it, where that is not the verb.
        call: How the manager is called; of one thing if it is not said.
        is_of_one: Whether it is about a thing that may be missing.
        takes: What it may be told besides.
        only_adds: Whether the audit has it only of an actor.
        looks_first: Whether the command ends before the act where the thing is missing.
        missing_as: As which status the API says that the thing is missing.
        earlier: A version that the thing has no more.
    """

    verb: str
    done_to: Making
    _: KW_ONLY
    refused_of: Making | None = None
    words: str | None = None
    route: str | None = None
    body: Body = field(default=lambda names: {})
    variant: str = ""
    action: str | None = None
    call: Call | None = None
    is_of_one: bool = True
    takes: frozenset[str] = SEEN
    only_adds: bool = False
    looks_first: bool = False
    missing_as: int = 404
    earlier: str = "another"

    @property
    def name(self) -> str:
        """What tells it from all others."""
        return f"{self.verb} {self.variant}".rstrip()

    @property
    def audited_as(self) -> str:
        """Its name in the audit."""
        return self.action or self.verb

    @property
    def why(self) -> Mapping[str, str]:
        """A reason, where it takes one."""
        return {"reason": "incident 7"} if "reason" in self.takes else {}

    def do(self, managers: Managers | TickerQ, names: Names, **keywords: Any) -> Any:
        """Call the manager."""
        return (self.call or on_one(self.verb))(managers, names, **keywords)

    def command(self, names: Names) -> list[str]:
        """Return the words of the command."""
        return [word.format(*names, **WORDS) for word in (self.words or "").split()]


def new_run(key: str) -> TimeTicker:
    return TimeTicker("Send", request=SECRET, delay=IN_AN_HOUR, unique_key=key)


ACTS = (
    Act(
        "time_tickers.add",
        nothing_yet,
        refused_of=key_that_is_taken,
        words="add Send --in 1h --unique-key {0} --request {request}",
        route="POST /runs",
        call=lambda all, names: all.time_tickers.add(new_run(names[0])),
        body=lambda names: {"function": "Send", "request": SECRET, "delay": 3600, "unique_key": names[0]},
        is_of_one=False,
        takes=NOTHING,
        only_adds=True,
    ),
    Act(
        "time_tickers.add_batch",
        of(nothing_yet, nothing_yet),
        refused_of=key_that_is_taken,
        action="time_tickers.add",
        call=lambda all, names: all.time_tickers.add_batch([new_run(name) for name in names]),
        is_of_one=False,
        takes=NOTHING,
        only_adds=True,
    ),
    Act(
        "time_tickers.update",
        waiting,
        refused_of=cancelled,
        words="update {0} --retries 3",
        route="PATCH /runs/{0}",
        call=on_one("time_tickers.update", retries=3),
        body=lambda names: {"retries": 3},
        looks_first=True,
    ),
    Act(
        "time_tickers.update_batch",
        of(waiting, waiting),
        refused_of=of(waiting, cancelled),
        action="time_tickers.update",
        call=changes("time_tickers.update_batch"),
        takes=WHY,
    ),
    Act("time_tickers.delete", running),
    Act(
        "time_tickers.delete_batch",
        of(waiting, cancelled),
        action="time_tickers.delete",
        call=on_many("time_tickers.delete_batch"),
        is_of_one=False,
        takes=WHY,
    ),
    Act(
        "time_tickers.clone",
        cancelled,
        words="clone {0}",
        route="POST /runs/{0}/clone",
        takes=NOTHING,
        only_adds=True,
    ),
    Act(
        "time_tickers.run_now",
        waiting,
        refused_of=cancelled,
        words="run {0}",
        route="POST /runs/{0}/run-now",
        only_adds=True,
        looks_first=True,
    ),
    Act("time_tickers.cancel", waiting, refused_of=cancelled, action="runs.cancel"),
    Act("time_tickers.retry", cancelled, refused_of=waiting, action="runs.retry"),
    Act("runs.cancel", waiting, refused_of=cancelled, words="cancel {0}", route="POST /runs/{0}/cancel"),
    Act(
        "runs.cancel",
        running,
        refused_of=cancelled,
        words="cancel {0} --terminate",
        route="POST /runs/{0}/terminate",
        variant="that terminates",
        call=on_one("runs.cancel", terminate=True),
    ),
    Act("runs.retry", cancelled, refused_of=waiting, words="retry {0}", route="POST /runs/{0}/retry"),
    Act("runs.release", running, refused_of=waiting, words="release {0}", route="POST /runs/{0}/release"),
    Act(
        "runs.mark_failed",
        running,
        refused_of=waiting,
        words="mark-failed {0}",
        route="POST /runs/{0}/mark-failed",
    ),
    Act("runs.delete", chain, refused_of=running, words="delete {0} --yes", route="DELETE /runs/{0}"),
    Act(
        "runs.delete_batch",
        of(waiting, cancelled),
        refused_of=of(waiting, running),
        call=on_many("runs.delete_batch"),
        is_of_one=False,
        takes=WHY,
    ),
    Act(
        "chains.cancel_rest",
        chain,
        refused_of=cancelled,
        words="cancel --chain {0}",
        route="POST /chains/{0}/cancel-rest",
        earlier="chain.2.0",
    ),
    Act(
        "chains.retry_failed",
        failed_chain,
        refused_of=chain,
        words="retry --chain {0}",
        route="POST /chains/{0}/retry-failed",
        earlier="chain.2.0",
    ),
    Act(
        "cron_tickers.add",
        expression("0 9 * * *"),
        refused_of=expression("61 * * * *"),
        words="add Send --cron {0} --request {request}",
        route="POST /crons",
        call=lambda all, names: all.cron_tickers.add(CronTicker("Send", expression=names[0], request=SECRET)),
        body=lambda names: {"function": "Send", "expression": names[0], "request": SECRET},
        is_of_one=False,
        takes=NOTHING,
        only_adds=True,
    ),
    Act(
        "cron_tickers.add_batch",
        of(expression("0 9 * * *"), expression("0 8 * * *")),
        refused_of=of(expression("0 9 * * *"), expression("61 * * * *")),
        action="cron_tickers.add",
        call=lambda all, names: all.cron_tickers.add_batch(
            [CronTicker("Send", expression=each, request=SECRET) for each in names]
        ),
        is_of_one=False,
        takes=NOTHING,
        only_adds=True,
    ),
    Act(
        "cron_tickers.update",
        cron,
        words="update {0} --retries 3",
        route="PATCH /crons/{0}",
        call=on_one("cron_tickers.update", retries=3),
        body=lambda names: {"retries": 3},
        looks_first=True,
    ),
    Act(
        "cron_tickers.update_batch",
        of(cron, paused),
        action="cron_tickers.update",
        call=changes("cron_tickers.update_batch"),
        takes=WHY,
    ),
    Act(
        "cron_tickers.revert_to_code",
        edited,
        refused_of=cron,
        words="revert {0}",
        route="POST /crons/{0}/revert",
    ),
    Act(
        "cron_tickers.delete",
        cron,
        words="delete-cron {0} --yes",
        route="DELETE /crons/{0}",
        looks_first=True,
    ),
    Act(
        "cron_tickers.delete_batch",
        of(cron, paused),
        route="POST /crons/delete",
        action="cron_tickers.delete",
        call=on_many("cron_tickers.delete_batch"),
        body=lambda names: {"ids": names},
        is_of_one=False,
        takes=WHY,
    ),
    Act("cron_tickers.pause", cron, words="pause {0}", route="POST /crons/{0}/pause", looks_first=True),
    Act(
        "cron_tickers.pause_batch",
        of(cron, cron, paused),
        words="pause {0} {1} {2}",
        route="POST /crons/pause",
        call=on_many("cron_tickers.pause_batch"),
        body=lambda names: {"ids": names},
        is_of_one=False,
        takes=WHY,
    ),
    Act("cron_tickers.resume", paused, words="resume {0}", route="POST /crons/{0}/resume", looks_first=True),
    Act(
        "cron_tickers.resume_batch",
        of(paused, paused, cron),
        words="resume {0} {1} {2}",
        route="POST /crons/resume",
        call=on_many("cron_tickers.resume_batch"),
        body=lambda names: {"ids": names},
        is_of_one=False,
        takes=WHY,
    ),
    Act(
        "cron_tickers.skip_next",
        cron,
        refused_of=paused,
        words="skip-next {0}",
        route="POST /crons/{0}/skip-next",
    ),
    Act(
        "cron_tickers.unskip_next",
        skipping,
        refused_of=cron,
        words="unskip-next {0}",
        route="POST /crons/{0}/unskip-next",
    ),
    Act(
        "cron_tickers.run_now",
        cron,
        words="run {0}",
        route="POST /crons/{0}/run-now",
        only_adds=True,
        looks_first=True,
    ),
    Act(
        "cron_tickers.run_now_batch",
        of(cron, paused),
        route="POST /crons/run-now",
        call=on_many("cron_tickers.run_now_batch"),
        body=lambda names: {"ids": names},
        is_of_one=False,
        takes=WHY,
        only_adds=True,
    ),
    Act(
        "cron_tickers.backfill",
        cron,
        words="backfill {0} --since {since} --until {until}",
        route="POST /crons/{0}/backfill",
        call=on_one("cron_tickers.backfill", start=SINCE, end=UNTIL),
        body=lambda names: {"start": SINCE.isoformat(), "end": UNTIL.isoformat()},
    ),
    Act(
        "pauses.pause",
        nothing_yet,
        words="pause --tag {0}",
        route="POST /pauses/pause",
        call=lambda all, names, **keywords: all.pauses.pause(tag=names[0], **keywords),
        body=lambda names: {"kind": "tag", "name": names[0]},
        is_of_one=False,
        takes=WHY,
    ),
    Act(
        "pauses.resume",
        paused_tag,
        words="resume --tag {0}",
        route="POST /pauses/resume",
        call=lambda all, names, **keywords: all.pauses.resume(tag=names[0], **keywords),
        body=lambda names: {"kind": "tag", "name": names[0]},
        missing_as=409,
    ),
    Act(
        "bulk.start",
        tagged,
        words="cancel --tag {0} --no-wait --yes",
        route="POST /bulk/cancel",
        call=lambda all, names, **keywords: all.bulk.start("cancel", tag=names[0], **keywords),
        body=lambda names: {"filter": {"tag": names[0]}, "expected": 1},
        is_of_one=False,
        takes=WHY,
    ),
    Act(
        "bulk.stop",
        job,
        refused_of=stopped_job,
        words="bulk stop {0}",
        route="POST /bulk/{0}/stop",
        takes=WHY,
    ),
)
