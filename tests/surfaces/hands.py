"""How one acts: by code, by a manager in someone's name, by the command line, and by the API."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from click.testing import CliRunner
from sqlalchemy import select

from tests.dashboard.api.conftest import Program
from tests.inner import celery_command
from tests.manual_clock import ManualClock
from tests.surfaces.acts import Act
from tests.surfaces.things import Names
from tests.tables import bulk, cron_tickers, pauses, tickers
from tickerq_celery import TickerQ
from tickerq_celery.errors import TickerError
from tickerq_celery.typing import Managers
from tickerq_celery.views import Actor, AuditEntry

NAME = "ana"
_IDS = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_OF_THE_SURFACE = {"id", "namespace", "role", "address", "via", "request_id", "digest"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Came:
    """What came of an act: its answer, the error of its refusal, and what the audit got.

    ``error`` is that of the managers by name; of the API it is the status. A refusal's answer is its text.
    """

    answer: Any
    error: str | int | None
    entries: Sequence[AuditEntry]
    has_changed: bool

    @property
    def audited(self) -> list[str]:
        """Entries as they are on all surfaces."""
        return [_as_on_all(each) for each in self.entries]


Hand = Callable[..., Came]


@dataclass(frozen=True, slots=True)
class Hands:
    """Acts on one store, in the name of one actor if it is not by code."""

    tickerq: TickerQ
    program: Program
    clock: ManualClock

    def by_code(self, act: Act, names: Names, **said: Any) -> Came:
        return self._came(lambda: _called(act, self.tickerq, names, said))

    def by_manager(self, act: Act, names: Names, operation_id: UUID | None = None, **said: Any) -> Came:
        acting = self.tickerq.acting_as(Actor(NAME, via="manager", operation_id=operation_id))
        return self._came(lambda: _called(act, acting, names, said))

    def by_command(self, act: Act, names: Names, **said: Any) -> Came:
        options = [word for name, value in said.items() for word in (f"--{name}", value)]
        return self._came(lambda: self._typed([*act.command(names), *options, "--as", NAME, "--json"]))

    def by_api(self, act: Act, names: Names, operation_id: UUID | None = None, **said: Any) -> Came:
        method, path = (act.route or "").format(*names).split()
        if operation_id is not None:
            said["operation_id"] = str(operation_id)
        headers = {}
        if method != "POST":
            headers["If-Match"] = f'"{said.pop("expected")}"' if "expected" in said else "*"
        given = {"query_string": said} if method == "DELETE" else {"json": {**act.body(names), **said}}
        return self._came(lambda: self._sent(method, path, headers, given))

    def _came(self, do: Callable[[], tuple[Any, str | int | None]]) -> Came:
        # Entries of an earlier moment are left out, so that each act reads its own.
        entries, stored = self._entries(), self._stored()
        answer, error = do()
        return Came(
            answer=answer,
            error=error,
            entries=[each for each in self._entries() if each not in entries],
            has_changed=self._stored() != stored,
        )

    def _entries(self) -> Sequence[AuditEntry]:
        return self.tickerq.audit.find(since=self.clock.now())

    def _stored(self) -> list[Any]:
        """Return all that an act may change but the audit: of what was made lately, since all takes long."""
        core, lately = self.tickerq.core, self.clock.now() - timedelta(minutes=1)
        found = [
            select(each)
            .where(each.c.namespace == core.config.namespace, made >= lately)
            .order_by(*each.primary_key)
            for each, made in (
                (tickers, tickers.c.created_at),
                (cron_tickers, cron_tickers.c.created_at),
                (pauses, pauses.c.paused_at),
                (bulk, bulk.c.created_at),
            )
        ]
        return core.database.read(lambda connection: [connection.execute(each).all() for each in found])

    def _typed(self, words: list[str]) -> tuple[Any, str | None]:
        result = CliRunner().invoke(celery_command, words, obj=self.tickerq.app)
        if result.exit_code == 0:
            return json.loads(result.stdout), None
        assert result.exit_code == 1, result.output
        said = json.loads(result.stdout or result.stderr)
        [refusal] = said.get("items", [said])
        return refusal["message"], refusal["error"]

    def _sent(
        self, method: str, path: str, headers: dict[str, str], given: dict[str, Any]
    ) -> tuple[Any, int | None]:
        response = self.program.send(method, path, headers, **given)
        if response.status_code < 300:
            return response.json, None
        return response.json["detail"], response.status_code


def _called(
    act: Act, managers: Managers | TickerQ, names: Names, said: dict[str, Any]
) -> tuple[Any, str | None]:
    try:
        return act.do(managers, names, **said), None
    except TickerError as error:
        return str(error), type(error).__name__


def without_ids(text: str) -> str:
    """Return a text with its ids by the order in which they are met."""
    met: dict[str, str] = {}
    return _IDS.sub(lambda found: met.setdefault(found[0], f"id {len(met)}"), text)


def _as_on_all(entry: AuditEntry) -> str:
    shown = {name: value for name, value in asdict(entry).items() if name not in _OF_THE_SURFACE}
    return without_ids(json.dumps(shown, default=str))
