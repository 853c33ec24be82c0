"""The drawings of the concepts, which ``make drawings`` writes: the life of a run, a claim, a cron ticker."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from site_svg import Arrow, Box, Drawing, Text

FOLDER = Path(__file__).parent.parent / "pictures"
ENDS = ("Skipped", "Cancelled", "Failed", "Done", "DueDone")


@dataclass(frozen=True, slots=True, kw_only=True)
class Moves:
    """Which statuses may follow one, for one cause, and how that is drawn."""

    before: str
    after: Collection[str]
    cause: str
    arrows: Collection[Arrow]
    words: Collection[Text]


def _x_of(end: str) -> int:
    return 56 + 94 * ENDS.index(end)


def _down_to(ends: Collection[str], *, y: int, shift: int, dashed: bool = False) -> list[Arrow]:
    """Return a line above some of the ends, and an arrow from it to each."""
    xs = [_x_of(end) + shift for end in ends]
    across = Arrow(points=[(min(xs), y), (max(xs), y)], side=dashed, dashed=dashed, head=False)
    return [across, *(Arrow(points=[(x, y), (x, 488)], side=dashed, dashed=dashed) for x in xs)]


def _left_to_ends(y: int) -> Arrow:
    return Arrow(points=[(165, y), (6, y), (6, 566)], side=True, head=False)


def _up_to(ends: Collection[str], *, y: int, shift: int) -> list[Arrow]:
    return [Arrow(points=[(_x_of(end) + shift, y), (_x_of(end) + shift, 536)], side=True) for end in ends]


RUN_MOVES = (
    Moves(
        before="Idle",
        after=("Queued",),
        cause="a beat claims it, and n becomes n + 1",
        arrows=[Arrow(points=[(220, 124), (220, 196)])],
        words=[Text(x=230, y=165, text="claim: n becomes n + 1", style="of-line")],
    ),
    Moves(
        before="Queued",
        after=("Idle",),
        cause="given back",
        arrows=[Arrow(points=[(185, 198), (185, 126)], side=True)],
        words=[Text(x=176, y=165, text="given back", style="of-side", anchor="end")],
    ),
    Moves(
        before="Queued",
        after=("InProgress",),
        cause="a worker starts it",
        arrows=[Arrow(points=[(220, 242), (220, 314)])],
        words=[Text(x=230, y=283, text="a worker starts n", style="of-line")],
    ),
    Moves(
        before="InProgress",
        after=ENDS,
        cause="it ends",
        arrows=[
            Arrow(points=[(220, 360), (220, 430)], head=False),
            *_down_to(ENDS, y=430, shift=0),
        ],
        words=[Text(x=230, y=397, text="n ends", style="of-line")],
    ),
    Moves(
        before="InProgress",
        after=("Idle",),
        cause="a retry or a rescue",
        arrows=[Arrow(points=[(295, 338), (475, 338), (475, 102), (297, 102)], side=True)],
        words=[Text(x=466, y=120, text="retry, rescue", style="of-side", anchor="end")],
    ),
    Moves(
        before="Idle",
        after=("Cancelled", "Skipped"),
        cause="cancelled or skipped",
        arrows=[_left_to_ends(102)],
        words=[Text(x=16, y=94, text="cancel, skip", style="of-side")],
    ),
    Moves(
        before="Queued",
        after=("Cancelled", "Skipped"),
        cause="cancelled or skipped",
        arrows=[
            _left_to_ends(220),
            Arrow(points=[(6, 566), (_x_of("Cancelled") - 20, 566)], side=True, head=False),
            *_up_to(("Skipped", "Cancelled"), y=566, shift=-20),
        ],
        words=[],
    ),
    Moves(
        before="Queued",
        after=("Failed", "Done", "DueDone"),
        cause="the call of a Celery task that no worker reports",
        arrows=[
            Arrow(points=[(295, 220), (440, 220), (440, 460)], side=True, dashed=True, head=False),
            *_down_to(("Failed", "Done", "DueDone"), y=460, shift=20, dashed=True),
        ],
        words=[
            Text(x=430, y=240, text="a Celery task that", style="of-side", anchor="end"),
            Text(x=430, y=257, text="no worker reports", style="of-side", anchor="end"),
        ],
    ),
    *(
        Moves(
            before=end,
            after=("Idle",),
            cause="an operator retries it",
            arrows=[Arrow(points=[(_x_of(end) + 20, 534), (_x_of(end) + 20, 588)], side=True, head=False)],
            words=[],
        )
        for end in ("Skipped", "Cancelled", "Failed")
    ),
)


def life_of_a_run() -> Drawing:
    """Return the statuses of a run, and what may follow which."""
    boxes = [
        Box(x=220, y=102, text="Idle"),
        Box(x=220, y=220, text="Queued"),
        Box(x=220, y=338, text="InProgress"),
        *(Box(x=_x_of(end), y=512, text=end, width=88, style="end") for end in ENDS),
    ]
    operator = [
        Arrow(points=[(_x_of("Skipped") + 20, 588), (492, 588), (492, 54), (250, 54), (250, 78)], side=True),
        Text(x=484, y=606, text="an operator retries it: Idle again", style="of-side", anchor="end"),
    ]
    add = [Arrow(points=[(190, 30), (190, 78)]), Text(x=182, y=48, text="add", style="of-line", anchor="end")]
    note = Text(x=14, y=634, text="n is the claim number. A held run is Idle.", style="soft")
    drawn = [part for move in RUN_MOVES for part in (*move.arrows, *move.words)]
    causes = [f"{move.before} to {' or '.join(move.after)}: {move.cause}" for move in RUN_MOVES]
    return Drawing(
        width=500,
        height=650,
        title="The life of a run",
        words=f"A run is added as Idle. {'. '.join(causes)}. n is the claim number.",
        parts=[*drawn, *operator, *add, note, *boxes],
    )


LANES: Mapping[str, int] = {"beat": 60, "store": 186, "broker": 312, "worker": 438}
# Each step of a claim: its word in the protocol, from whom, to whom, and what is said.
CLAIM_STEPS = (
    ("Claim", "beat", "store", "Idle, due → Queued, claim n"),
    ("Publish", "beat", "broker", "a message: run, n"),
    ("Stamp", "beat", "store", "n was published"),
    ("Start", "worker", "store", "Queued with n? → InProgress"),
    ("Finish", "worker", "store", "InProgress with n? → its end"),
)
CLAIM_FAILURES = (
    ("the broker refuses it", "n is given back: Idle, due again"),
    ("the beat dies before the stamp", "a beat publishes n again, after 10 s"),
    ("the message is lost", "a beat publishes n again"),
    ("the message comes twice", "the second finds no Queued n: dropped"),
    ("the worker dies", "rescued after a lease; next claim: n + 1"),
    ("and reports after that", "n is superseded: nothing is written"),
)


def life_of_a_claim() -> Drawing:
    """Return who says what to whom, from a claim to its end, and what follows where that fails."""
    parts: list[Box | Text | Arrow] = []
    bottom = 120 + 62 * len(CLAIM_STEPS)
    for name, x in LANES.items():
        parts.append(Arrow(points=[(x, 60), (x, bottom)], head=False, dashed=True, faint=True))
        parts.append(Box(x=x, y=40, text=name, width=96, height=36))
    for number, (word, sender, receiver, said) in enumerate(CLAIM_STEPS, 1):
        y = 62 + 62 * number
        left = min(LANES[sender], LANES[receiver])
        parts.append(Text(x=left + 8, y=y - 24, text=f"{number}. {word}", style="strong"))
        parts.append(Text(x=left + 8, y=y - 7, text=said, style="soft"))
        parts.append(Arrow(points=[(LANES[sender], y), (LANES[receiver], y)]))
    for number, (failure, effect) in enumerate(CLAIM_FAILURES):
        y = bottom + 34 + 24 * number
        parts.append(Text(x=14, y=y, text=failure, style="of-side"))
        parts.append(Text(x=238, y=y, text=effect, style="soft"))
    steps = [f"{word}: {sender} to {receiver}, {said}" for word, sender, receiver, said in CLAIM_STEPS]
    failures = [f"If {failure}: {effect}" for failure, effect in CLAIM_FAILURES]
    return Drawing(
        width=500,
        height=bottom + 34 + 24 * len(CLAIM_FAILURES),
        title="The life of a claim",
        words=f"{'. '.join(steps)}. {'. '.join(failures)}.",
        parts=parts,
    )


MISFIRES = {
    "run_once": "the latest one runs (default)",
    "skip": "none runs",
    "run_all": "all run, oldest first",
}
OVERLAPS = {
    "allow": "runs beside it (default)",
    "skip": "is Skipped",
    "buffer_one": "waits; further ones are Skipped",
    "buffer_all": "waits in a queue",
    "cancel_other": "cancels the earlier one, then starts",
}


def _policies(x: int, y: int, policies: Mapping[str, str]) -> list[Text]:
    texts = []
    for number, (name, effect) in enumerate(policies.items()):
        texts.append(Text(x=x, y=y + 21 * number, text=name, style="mono"))
        texts.append(Text(x=x + 106, y=y + 21 * number, text=effect, style="soft"))
    return texts


def life_of_a_cron_ticker() -> Drawing:
    """Return what happens at each instant of a cron ticker, and which policies decide on it."""
    instants = [
        Arrow(points=[(120, 64), (120, 106)]),
        Text(x=130, y=90, text="its moment comes", style="of-line"),
        Arrow(points=[(120, 150), (120, 336)]),
        Text(x=20, y=186, text="on time", style="of-line"),
        Arrow(points=[(195, 128), (240, 128), (240, 178)], side=True),
        Text(x=250, y=146, text="no beat was up: a misfire", style="of-side"),
        Arrow(points=[(240, 262), (240, 356), (197, 356)], side=True),
        Text(x=250, y=326, text="a misfire record keeps", style="soft"),
        Text(x=250, y=343, text="those that do not run", style="soft"),
        Arrow(points=[(45, 128), (14, 128), (14, 42), (43, 42)]),
        Text(x=20, y=90, text="the next one", style="of-line"),
        Arrow(points=[(120, 380), (120, 584)]),
        Text(x=20, y=420, text="none before it", style="of-line"),
        Arrow(points=[(195, 364), (240, 364), (240, 414)], side=True),
        Text(x=250, y=388, text="an earlier one has not ended", style="of-side"),
        Arrow(points=[(240, 540), (240, 606), (197, 606)], side=True),
        Text(x=14, y=650, text="A paused cron ticker fires nothing until it is resumed.", style="soft"),
    ]
    boxes = [
        Box(x=120, y=42, text="next instant"),
        Box(x=120, y=128, text="a beat fires it"),
        Box(x=120, y=358, text="an occurrence"),
        Box(x=120, y=606, text="a run, due"),
    ]
    said = [f"misfire {name}: {effect}" for name, effect in MISFIRES.items()]
    said += [f"overlap {name}: the new occurrence {effect}" for name, effect in OVERLAPS.items()]
    return Drawing(
        width=500,
        height=666,
        title="The life of a cron ticker",
        words="When the moment of the next instant comes, a beat fires it: it stores the occurrence, and "
        "computes the instant after it. Where no beat was up, the misfire policy decides; where an earlier "
        f"occurrence has not ended, the overlap policy does. {'. '.join(said)}.",
        parts=[*instants, *_policies(150, 198, MISFIRES), *_policies(150, 434, OVERLAPS), *boxes],
    )


DRAWINGS = {
    "life-of-a-run": life_of_a_run,
    "life-of-a-claim": life_of_a_claim,
    "life-of-a-cron-ticker": life_of_a_cron_ticker,
}


def main() -> None:
    """Write every drawing anew."""
    for name, draw in DRAWINGS.items():
        (FOLDER / f"{name}.svg").write_text(str(draw()))


if __name__ == "__main__":
    main()
