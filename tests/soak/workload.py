"""What the soak asks for: which tickers are added when and how, and what their bodies do."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from random import Random
from typing import Any

from tickerq_celery import MisfirePolicy, OverlapPolicy, RunCondition

LIMIT = 2
LIMITS: Mapping[str, int] = {"Limited": LIMIT}
# Functions whose runs name a concurrency key, and how many of one key may run at once.
KEY_LIMITS: Mapping[str, int] = {"Keyed": 1}
KEYS = ("eu", "us", "asia")
RETRY_INTERVALS = (0.3, 0.7)
LONGEST_BODY = 8.0
_RUN_ALL_LIMIT = 1_000
_MOST_LEVELS = 3


class Death(StrEnum):
    """How a body ends its own process, in the first claim of its ticker."""

    EXIT = "os._exit"
    KILL = "SIGKILL"


class Way(StrEnum):
    """How tickers are added."""

    CALL = "a call"
    SESSION = "a session that commits"
    ROLLBACK = "a session that rolls back"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One ticker to add, with its children; ``delay`` and ``sleep`` are in seconds, a child has no delay."""

    serial: int
    function: str
    delay: float
    sleep: float
    fails: int
    retries: int
    death: Death | None
    condition: RunCondition | None = None
    children: tuple["Order", ...] = ()
    key: str | None = None

    def request(self) -> dict[str, object]:
        """Return what the body is given."""
        return {"serial": self.serial, "sleep": self.sleep, "fails": self.fails, "death": self.death}


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Orders to add in one call, ``pause`` seconds after the one before."""

    pause: float
    way: Way
    orders: tuple[Order, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CronOrder:
    """A cron ticker to add, that fires every ``step``."""

    expression: str
    step: timedelta
    misfire: MisfirePolicy = MisfirePolicy.RUN_ONCE
    misfire_limit: int = 100
    overlap: OverlapPolicy = OverlapPolicy.ALLOW
    sleep: float = 0.0

    def request(self) -> dict[str, object]:
        """Return what the bodies of its occurrences are given."""
        return {"sleep": self.sleep, "fails": 0, "death": None}


SECOND = timedelta(seconds=1)
CRONS = (
    CronOrder(expression="* * * * * *", step=SECOND),
    CronOrder(
        expression="* * * * * *", step=SECOND, misfire=MisfirePolicy.RUN_ALL, misfire_limit=_RUN_ALL_LIMIT
    ),
    CronOrder(expression="* * * * * *", step=SECOND, overlap=OverlapPolicy.SKIP, sleep=1.3),
    CronOrder(
        expression="*/2 * * * * *",
        step=2 * SECOND,
        misfire=MisfirePolicy.RUN_ALL,
        misfire_limit=_RUN_ALL_LIMIT,
        sleep=0.2,
    ),
)


class Workload:
    """An endless supply of deliveries, the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._serial = 0

    def next(self) -> Delivery:
        """Return the next delivery."""
        way = self._random.choices(tuple(Way), weights=(16, 2, 2))[0]
        count = self._random.randint(5, 15) if self._random.random() < 0.08 else 1
        return Delivery(
            pause=self._random.uniform(0.1, 0.5),
            way=way,
            orders=tuple(self._order() for _ in range(count)),
        )

    def _order(self, levels: int = 1) -> Order:
        chance = self._random
        self._serial += 1
        serial = self._serial
        function = chance.choices(("Work", "Limited", "Keyed"), weights=(18, 2, 2))[0]
        must_wait = function in LIMITS or function in KEY_LIMITS
        fails = chance.choices((0, 1, 2, 3), weights=(75, 14, 7, 4))[0]
        return Order(
            serial=serial,
            function=function,
            delay=0.0 if chance.random() < 0.5 else chance.uniform(0.2, 6.0),
            # Long enough for others to be due meanwhile, and to have to wait.
            sleep=chance.uniform(0.3, 0.9) if must_wait else self._sleep(),
            fails=fails,
            # Now and then too few: such a run has to fail for good.
            retries=fails if chance.random() < 0.85 else chance.randint(0, 3),
            death=chance.choice(tuple(Death)) if chance.random() < 0.03 else None,
            key=chance.choice(KEYS) if function in KEY_LIMITS else None,
            **self._chain(levels),
        )

    def _chain(self, levels: int) -> dict[str, Any]:
        """Return what makes an order the parent or the child of others; a chain has three levels at most."""
        is_parent = levels < _MOST_LEVELS and self._random.random() < 0.12
        count = self._random.randint(1, 3) if is_parent else 0
        return {
            "condition": self._random.choice((None, *RunCondition)) if levels > 1 else None,
            "children": tuple(self._order(levels + 1) for _ in range(count)),
        }

    def _sleep(self) -> float:
        # Most bodies do nothing; a few outlast a lease, so that a rescue makes zombies of them.
        spans = ((0.0, 0.0), (0.2, 1.5), (4.0, LONGEST_BODY))
        return self._random.uniform(*self._random.choices(spans, weights=(82, 15, 3))[0])
