"""Where one can look into a finding: the list that has its runs, and the page of what it is about."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from urllib.parse import urlencode

from tickerq_celery.enums import Origin
from tickerq_celery.limits import MOST_FUNCTIONS
from tickerq_celery.views import Finding, FindingCode, Severity, Subject, SubjectKind
from tickerq_dashboard.access.roles import Permission
from tickerq_dashboard.show.attempts import WORKER_LOST
from tickerq_dashboard.show.moments import machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A page, by the name of its route and the words of its address; ``permission`` is what it needs."""

    word: str
    endpoint: str
    words: Mapping[str, object] = field(default_factory=dict)
    permission: Permission = Permission.VIEW


# How the record of an outage begins, and none of a pause or an edit.
MISSED = "Missed:"
_NODES = Place(word="Nodes", endpoint="nodes")
_SETTINGS = Place(word="Settings", endpoint="settings")
_DUE = Place(word="Due runs", endpoint="runs_upcoming", words={"due": "1"})
_HELD = Place(word="Held runs", endpoint="runs_active", words={"held_for": "function"})
_QUEUED = Place(word="Queued runs", endpoint="runs_active", words={"status": "queued"})
_OF_CODE: Mapping[FindingCode, tuple[Place, ...]] = {
    FindingCode.MODULES: (_SETTINGS,),
    FindingCode.SETTINGS: (_SETTINGS,),
    FindingCode.STORE: (_SETTINGS,),
    FindingCode.SCHEMA: (_SETTINGS,),
    FindingCode.BROKER: (_SETTINGS,),
    FindingCode.BROKER_REFUSES: (_DUE, _NODES),
    FindingCode.FUNCTION_SKEW: (Place(word="Functions", endpoint="functions"),),
    FindingCode.BACKLOG: (Place(word="Active runs", endpoint="runs_active"), _DUE),
    FindingCode.OVERDUE_RUNS: (_DUE,),
    FindingCode.OVERDUE_CRONS: (Place(word="Cron tickers", endpoint="crons"),),
    FindingCode.UNSTARTED_RUNS: (_QUEUED,),
    FindingCode.UNREPORTED_CALLS: (
        Place(word="Published runs", endpoint="runs_active", words={"status": "published"}),
    ),
    FindingCode.NO_CONSUMER: (_QUEUED, _DUE, _NODES),
    FindingCode.NO_ROUTE: (Place(word="Runs to come", endpoint="runs_upcoming"),),
    FindingCode.NO_FUNCTION: (_HELD, _DUE),
    FindingCode.ORPHANED_RUNS: (
        Place(word="Its runs", endpoint="runs_active", words={"status": "in-progress"}),
        _NODES,
    ),
    FindingCode.LOST_RUNS: (
        Place(word="Lost runs", endpoint="runs", words={"status": "failed", "error_type": WORKER_LOST}),
        _NODES,
    ),
    FindingCode.MISSED_INSTANTS: (
        Place(
            word="Misfire records",
            endpoint="runs",
            words={"status": "skipped", "origin": Origin.MISFIRE.value, "error": MISSED},
        ),
        Place(word="Cron tickers", endpoint="crons"),
    ),
    FindingCode.CANCEL_UNHEEDED: (
        Place(word="Runs in progress", endpoint="runs_active", words={"status": "in-progress"}),
    ),
    FindingCode.FAILING: (
        Place(word="Failed runs", endpoint="runs", words={"status": "failed"}),
        Place(word="Errors", endpoint="errors"),
    ),
    FindingCode.LIMIT_FULL: (Place(word="Active runs", endpoint="runs_active"),),
    FindingCode.PAUSED: (Place(word="Pauses", endpoint="pauses"),),
    FindingCode.RETENTION_LATE: (_SETTINGS,),
    FindingCode.RETENTION_NAME: (_SETTINGS,),
    FindingCode.ARCHIVE: (_SETTINGS,),
    FindingCode.DROPPED: (_NODES,),
}
_ENDS_OF_LOST_RUNS = (
    ("Release …", "ask_run_release", Permission.RUNS_RELEASE),
    ("Mark as failed …", "ask_run_mark_failed", Permission.RUNS_MARK_FAILED),
)
_FILTERS = {SubjectKind.FUNCTION: "function", SubjectKind.NODE: "node", SubjectKind.TAG: "tag"}
# What has ended is counted from the first on that is meant.
_OF_PAST = {FindingCode.LOST_RUNS, FindingCode.MISSED_INSTANTS}
# What servers take of an address, with room for a cursor.
_LONGEST_ROUTED = 1_500
_OF_RUNS = {"runs", "runs_active", "runs_upcoming"}


def places_of(finding: Finding) -> tuple[Place, ...]:
    """Return where one can look into a finding, what says most of it first; that one everybody may see."""
    general = _OF_CODE.get(finding.code, (_NODES,))
    if finding.code in _OF_PAST and finding.since is not None:
        general = (_later(general[0], finding.since), *general[1:])
    subject = finding.subject
    if subject is None:
        return general
    own = tuple(_own(subject))
    ends = tuple(_ends_of(finding.code, subject))
    if subject.kind in {SubjectKind.CRON_TICKER, SubjectKind.RUN} and own:
        return (*own, *ends)
    if finding.code is FindingCode.NO_FUNCTION:
        # Where some are overdue they are in either list, or in both; else a beat holds them all.
        lists = general if finding.severity is Severity.FAILURE else (_HELD,)
        return (*own, *(_narrowed(each, subject) for each in lists))
    if finding.code is FindingCode.NO_CONSUMER:
        # Where none waits in it, there are none to see.
        lists = (_QUEUED, _DUE) if finding.severity is Severity.FAILURE else ()
        return (*(_in_queue(each, finding) for each in lists), _NODES)
    # The page of a function says more than the list of all.
    shown = (each for each in general if each.endpoint != "functions" or not own)
    return (*(_narrowed(each, subject) for each in shown), *own, *ends)


def _later(place: Place, since: datetime) -> Place:
    """Return a list of what has ended with the first moment of it."""
    return replace(place, words={**place.words, "ended_from": machine(since)})


def _in_queue(place: Place, finding: Finding) -> Place:
    """Return a list of the runs that go to a queue: by their own, and by the router."""
    queue = "" if finding.subject is None else finding.subject.name
    return replace(place, words={**place.words, "queue": queue, **_routed(finding.functions)})


def _routed(functions: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """Return the word of those functions, or none where they are more than an address takes."""
    words = {"routed": functions}
    is_short = len(functions) <= MOST_FUNCTIONS and len(urlencode(words, doseq=True)) <= _LONGEST_ROUTED
    return words if functions and is_short else {}


def _narrowed(place: Place, subject: Subject) -> Place:
    """Return a list of runs with the filter of a subject, and the list of nodes at its row."""
    words = dict(place.words)
    name = _FILTERS.get(subject.kind)
    if place.endpoint in _OF_RUNS and name is not None:
        words[name] = subject.name
    elif place is _NODES and subject.kind is SubjectKind.NODE and subject.id is not None:
        words["_anchor"] = f"n{subject.id}"
    return replace(place, words=words)


def _own(subject: Subject) -> Iterator[Place]:
    if subject.kind is SubjectKind.FUNCTION:
        yield Place(word="Function", endpoint="function", words={"name": subject.name})
    elif subject.kind is SubjectKind.CRON_TICKER and subject.id is not None:
        yield Place(word="Cron ticker", endpoint="cron", words={"cron_id": subject.id})
    elif subject.kind is SubjectKind.RUN and subject.id is not None:
        yield Place(word="Run", endpoint="run", words={"run_id": subject.id})


def _ends_of(code: FindingCode, subject: Subject) -> Iterator[Place]:
    """Yield the pages that put it right."""
    if code is FindingCode.PAUSED:
        yield from _end_of_pause(subject)
    elif code is FindingCode.ORPHANED_RUNS and subject.kind is SubjectKind.RUN:
        words = {"run_id": subject.id}
        for word, endpoint, needed in _ENDS_OF_LOST_RUNS:
            yield Place(word=word, endpoint=endpoint, words=words, permission=needed)
    elif code is FindingCode.CANCEL_UNHEEDED and subject.kind is SubjectKind.RUN:
        yield Place(
            word="Terminate …",
            endpoint="ask_run_terminate",
            words={"run_id": subject.id},
            permission=Permission.RUNS_TERMINATE,
        )


def _end_of_pause(subject: Subject) -> Iterator[Place]:
    if subject.kind is SubjectKind.CRON_TICKER:
        words = {"cron_id": subject.id}
        yield Place(
            word="Resume …", endpoint="ask_cron_resume", words=words, permission=Permission.CRONS_PAUSE
        )
    else:
        scope = {"kind": subject.kind.value, "name": subject.name or None}
        yield Place(
            word="Resume …", endpoint="ask_resume", words=scope, permission=Permission.FUNCTIONS_PAUSE
        )
