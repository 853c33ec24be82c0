"""The fields of tickers on pages: how each is called, asked for, read from a form and written into one."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import datetime, timedelta
from enum import Flag, auto
from typing import Any

from tickerq_celery import Cron, Run
from tickerq_dashboard import texts as read
from tickerq_dashboard.show.durations import exact
from tickerq_dashboard.show.json_tree import editable

FUNCTION, TASK = "function", "task"
Choices = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """How the text of a field becomes a value, and a value that is not empty the text."""

    read: Callable[[str], Any] = str
    write: Callable[[Any], str] = str


class Section(Flag):
    """Where a field stands with others, in the order of the table.

    CALL and HOW are of every ticker, CHILD of one in a chain, GIVEN and BOUNDS are sections of the form of a
    cron ticker, and FACTS is the section of that name on the page of a run.
    """

    NONE = 0
    CALL = auto()
    HOW = auto()
    CHILD = auto()
    GIVEN = auto()
    BOUNDS = auto()
    FACTS = auto()


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its ``label`` in lists of errors and changes, and ``question`` where it is asked for.

    ``spoken`` is its label where it stands in a sentence, ``if_empty`` what stands there while it is empty;
    ``empty`` is what an emptied field means. ``policy`` says what a value makes of the runs of a cron ticker:
    when, and then what. Only tickers ``of`` functions or of tasks have it, or all.
    """

    name: str
    label: str
    kind: Kind
    section: Section = Section.NONE
    _: KW_ONLY
    question: str = ""
    spoken: str = ""
    hint: str = ""
    if_empty: str = ""
    policy: tuple[str, str] | None = None
    empty: Any = None
    of: str = ""
    widget: str = "line"
    choices: Choices = ()
    css: str = ""
    width: str = ""
    input: str = "text"
    list: str = ""
    mono: bool = False
    rows: int = 3

    def written(self, value: Any) -> str:
        """Return a value of the core as the text of this field."""
        return "" if value is None or value == self.empty else self.kind.write(value)


def _span(value: timedelta | float) -> str:
    return exact(value if isinstance(value, timedelta) else timedelta(seconds=value))


def _filled(value: Any) -> str:
    return editable(value) if value else ""


def _word(member: Any) -> str:
    return str(getattr(member, "name", member)).lower()


TEXT = Kind()
NAMES = Kind(read=read.words, write=", ".join)
CHOICE = Kind(write=_word)
FLAG = Kind(read=bool, write=lambda value: "1")
SPAN = Kind(read=read.span, write=_span)
SPANS = Kind(read=read.spans, write=lambda values: ", ".join(map(_span, values)))
DATES = Kind(read=read.dates, write=lambda values: ", ".join(each.isoformat() for each in values))
ZONE = Kind(read=lambda text: read.zone(text).key)
JSON = Kind(read=read.json_value, write=editable)
JSON_LIST = Kind(read=read.json_list, write=_filled)
JSON_OBJECT = Kind(read=read.json_object, write=_filled)


def _local(value: datetime) -> str:
    return f"{value:%Y-%m-%dT%H:%M:%S}"


# Read by the clocks of the zone that another field names.
MOMENT = Kind(write=_local)

_KINDS = ((FUNCTION, "Function"), (TASK, "Celery task"))
_PRIORITIES = (
    ("", "as its function says"), ("high", "high"), ("normal", "normal"), ("low", "low"),
    ("long_running", "long running"),
)  # fmt: skip
_CONDITIONS = (
    ("", "any end but Skipped"), ("on_success", "success"), ("on_failure", "failure"),
    ("on_cancelled", "cancellation"), ("on_failure_or_cancelled", "failure or cancellation"),
    ("on_any_completed_status", "any end"), ("in_progress", "its start, beside it"),
)  # fmt: skip
_LOSSES = (("", "as the settings say"), ("retry", "it starts again"), ("fail", "it fails"))
_OVERLAPS = (
    ("allow", "run beside it"), ("skip", "skip the new one"),
    ("buffer_one", "let one wait, skip later ones"), ("buffer_all", "let all wait in turn"),
    ("cancel_other", "cancel the one before"),
)  # fmt: skip
_MISFIRES = (
    ("run_once", "run the latest missed one"), ("skip", "skip what was missed"),
    ("run_all", "run all that was missed"),
)  # fmt: skip
_CONFLICTS = (
    ("raise", "refuse this one"), ("return_existing", "keep that one, and show it"),
    ("replace", "replace that one"),
)  # fmt: skip
_PASSES = (
    ("", "choose"), ("first", "the first, before the clocks change"),
    ("second", "the second, after they have changed"),
)  # fmt: skip

CALL, HOW, CHILD, GIVEN, BOUNDS, FACTS = Section
_ALL = (
    Field("function", "Function", TEXT, CHILD, list="functions"),
    Field("kind", "Kind", CHOICE, CHILD, widget="choice", choices=_KINDS, css="kind"),
    Field("request", "Payload", JSON, CALL, of=FUNCTION, widget="area", css="wide",
          hint="JSON, given to the function. Empty: it is called without one."),
    Field("args", "Positional arguments", JSON_LIST, CALL, of=TASK, widget="area", rows=2, empty=(),
          hint="A JSON array, such as [1, 2]."),
    Field("kwargs", "Keyword arguments", JSON_OBJECT, CALL, of=TASK, widget="area", rows=2, empty={},
          hint="A JSON object."),
    Field("options", "Options of the call", JSON_OBJECT, CALL, of=TASK, widget="area", rows=2, empty={},
          hint="A JSON object, as apply_async takes them."),
    Field("on_lost", "If its worker dies", CHOICE, CALL | FACTS, of=TASK, widget="choice", choices=_LOSSES,
          policy=("If its worker dies,", "{}.")),
    Field("schedule", "Schedule", TEXT),
    Field("expression", "Cron expression", TEXT, css="big", mono=True,
          hint="Minute, hour, day of month, month, weekday; six fields begin with seconds."),
    Field("every", "Interval", SPAN, css="big", hint="Elapsed time such as 90 min, whatever the clocks do."),
    Field("time_zone", "Time zone", ZONE, question="Time zone of the schedule", list="zone-names"),
    Field("day_or", "Either day field", FLAG, widget="tick", empty=False,
          question="Where both day fields are set, either of them is enough, as in Unix"),
    Field("when", "When", TEXT),
    Field("delay", "Time from now", SPAN, hint="Such as 10 min or 1 h 30 min."),
    Field("run_condition", "Runs when", CHOICE, CHILD, widget="choice", choices=_CONDITIONS,
          question="Runs when its parent's end is"),
    Field("at", "Date and time", MOMENT, CHILD, input="datetime-local"),
    Field("zone", "Time zone", TEXT, list="zone-names"),
    Field("pass", "Which of the two", CHOICE, widget="choice", choices=_PASSES),
    Field("overlap", "Overlap", CHOICE, choices=_OVERLAPS, spoken="If the run before is still going"),
    Field("misfire", "Missed instants", CHOICE, choices=_MISFIRES, spoken="After an outage"),
    Field("misfire_limit", "Missed instants at most", TEXT, width="s5",
          spoken="Missed instants that run at most"),
    Field("misfire_grace", "Late at most", SPAN, width="s9", if_empty="any time",
          spoken="How late a missed instant may run"),
    Field("pause_on_failure", "Failures before a pause", TEXT, width="s5", if_empty="never",
          spoken="Failed runs in a row before a pause"),
    Field("jitter", "Spread", SPAN, width="s9", if_empty="0 s", empty=timedelta(0),
          spoken="Spread: how long after its time a run may start"),
    Field("description", "Description", TEXT, HOW | GIVEN, css="wide"),
    Field("retries", "Retries", TEXT, HOW, of=FUNCTION, input="number", width="s9", if_empty="its function's",
          hint="More attempts after a failure. Empty: as its function says."),
    Field("retry_intervals", "Waits between retries", SPANS, HOW, of=FUNCTION, width="s16",
          if_empty="its function's", spoken="Waits between retries, with commas",
          hint="Such as 30 s, 1 min, 5 min. The last one repeats."),
    Field("timeout", "Timeout", SPAN, HOW | FACTS, of=FUNCTION, width="s9", if_empty="any time",
          hint="Such as 20 min. Then it is asked to end.",
          policy=("A run may take", "{}; then it is asked to end.")),
    Field("hard_timeout", "Hard timeout", SPAN, HOW | FACTS, of=FUNCTION, width="s9", if_empty="never",
          hint="Then its process is ended.", policy=("After", "{} its process is ended.")),
    Field("priority", "Priority", CHOICE, HOW | FACTS, widget="choice", choices=_PRIORITIES),
    Field("queue", "Queue", TEXT, HOW, width="s9", if_empty="as routed", hint="Empty: as Celery routes it."),
    Field("tags", "Tags", NAMES, HOW | GIVEN, hint="With commas between them.", empty=()),
    Field("concurrency_key", "Concurrency key", TEXT, HOW | GIVEN | FACTS, of=FUNCTION,
          hint="Runs with the same key share slots.", policy=("Its runs share", "the slots of the key {}.")),
    Field("unique_key", "Unique key", TEXT, CHILD | FACTS,
          hint="While a run with it has not ended, no other is accepted."),
    Field("on_conflict", "If the key is taken", CHOICE, widget="choice", choices=_CONFLICTS),
    Field("with_children", "Its chain", FLAG, widget="tick", empty=False,
          question="Copy all that is below it, with run conditions and payloads"),
    Field("start_at", "Not before", MOMENT, BOUNDS, input="datetime-local",
          hint="By the clocks of its zone."),
    Field("end_at", "Not after", MOMENT, BOUNDS, input="datetime-local"),
    Field("max_runs", "Runs in all", TEXT, BOUNDS, input="number", hint="Empty: without end."),
    Field("exclude", "Not on", DATES, BOUNDS, empty=(), hint="Dates such as 2026-12-24, 2026-12-25.",
          policy=("It does not fire on", "{}.")),
    Field("is_enabled", "Enabled", FLAG, widget="tick", empty=False,
          question="Enabled: it fires from its first instant on"),
    Field("reason", "Reason", TEXT),
)  # fmt: skip
FIELDS: Mapping[str, Field] = {each.name: each for each in _ALL}
# A child waits for its parent first.
_AT_OF_CHILDREN = Field(
    "at", "Not before", MOMENT, input="datetime-local", hint="In the zone of the run. Empty: at once."
)


def names_in(section: Section) -> tuple[str, ...]:
    """Return the fields of a section."""
    return tuple(each.name for each in _ALL if section in each.section)


def said_of(value: Any, name: str) -> str:
    """Return a value of a field as pages say it; nothing of one that is not set."""
    text = FIELDS[name].written(value)
    return dict(FIELDS[name].choices).get(text, text) if text else ""


def option_facts(run: Run) -> Iterator[tuple[str, str]]:
    """Yield the label and the value of each option of a run that its page says beside its state."""
    for name in names_in(FACTS):
        if said := said_of(getattr(run, name), name):
            yield FIELDS[name].label, said


def set_policies(cron: Cron) -> Iterator[tuple[str, str]]:
    """Yield what each field of a cron ticker that is set, and says so by itself, makes of its runs."""
    for field in _ALL:
        if field.policy and (said := said_of(getattr(cron, field.name), field.name)):
            when, then = field.policy
            yield when, then.format(said)


def field_of(name: str) -> Field | None:
    """Return the field of a name, which may begin with the path of a child; None where there is none."""
    path, _, leaf = name.rpartition(".")
    return _AT_OF_CHILDREN if path and leaf == "at" else FIELDS.get(leaf)
