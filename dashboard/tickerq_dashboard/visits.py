"""What a handler is given: the dashboard, who asks, and the id of the request."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from werkzeug.wrappers import Response

from tickerq_celery import TickerQ, TickerStatus
from tickerq_celery.enums import AuditOutcome
from tickerq_celery.errors import TickerNotFoundError
from tickerq_celery.views import Actor, AuditEntry
from tickerq_dashboard.access.roles import Permission, role_permissions, roles_with
from tickerq_dashboard.access.visitors import Visitor
from tickerq_dashboard.assets import Assets
from tickerq_dashboard.auditing import actor_of
from tickerq_dashboard.banner import Topic
from tickerq_dashboard.health import HealthWatch
from tickerq_dashboard.options import Options
from tickerq_dashboard.preferences import asked_operation, reader_clock
from tickerq_dashboard.reading.called import called_in
from tickerq_dashboard.reading.cursors import Cursors
from tickerq_dashboard.reading.reader import Reader
from tickerq_dashboard.reading.shown import RunPage
from tickerq_dashboard.rendering import Renderer, answered
from tickerq_dashboard.routing import Route
from tickerq_dashboard.show.flashes import RUN_NOW, STORES_RUN, Flash, flash_of, object_of
from tickerq_dashboard.show.moments import Clock

# What shall run now has the moment at which it was checked, and is stored a little later.
JUST_NOW = timedelta(seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """One dashboard: whose store it shows, and what its handlers share."""

    tickerq: TickerQ
    options: Options
    watch: HealthWatch
    renderer: Renderer
    assets: Assets
    reader: Reader
    cursors: Cursors
    routes: Mapping[str, Route]
    asks_password: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One request that the guard has let in; an open route has no visitor."""

    dashboard: Dashboard
    visitor: Visitor | None
    request_id: str

    def actor(self, operation_id: str | None = None) -> Actor:
        """Return as whom the visitor acts on the store, with the one-time id of the form that was sent.

        Raises:
            TickerValidationError: The id is no UUID.
        """
        return actor_of(self.visitor, operation_id)

    def may(self, permission: Permission) -> bool:
        """Return whether the visitor is allowed it."""
        return self.visitor is not None and self.visitor.may(permission)

    def roles_with(self, permission: Permission) -> tuple[str, ...]:
        """Return the roles that are allowed it."""
        return roles_with(permission, role_permissions(self.dashboard.options.permissions))

    def clock(self) -> Clock:
        """Return the present moment and the zone that the visitor reads times in."""
        return reader_clock(self.dashboard.reader.now())

    def page(
        self,
        template: str,
        *,
        clock: Clock,
        status: int = 200,
        topics: Sequence[Topic] = (),
        **values: object,
    ) -> Response:
        """Return a template as HTML, or that the browser has it already; ``topics`` is what it is about."""
        render, flash = self.dashboard.renderer.page, self._flash()
        return answered(render(template, clock=clock, topics=topics, flash=flash, **values), status)

    def _flash(self) -> Flash | None:
        """Return what the visitor did just before, where the address says so."""
        did = asked_operation()
        if did is None or self.visitor is None:
            return None
        entry = self.dashboard.reader.own_entry(self.actor().name, did)
        if entry is None:
            return None
        return flash_of(
            entry, called_in(self.dashboard.reader, entry), self._waits(entry), self._passed(entry)
        )

    def _passed(self, entry: AuditEntry) -> datetime | None:
        """Return the moment that a run was stored for, where that was in the past."""
        page = self._page_of(entry) if entry.action in STORES_RUN else None
        moment = None if page is None else page.run.execution_time
        return moment if moment is not None and moment < entry.at - JUST_NOW else None

    def _page_of(self, entry: AuditEntry) -> RunPage | None:
        """Return the run that something was done to; None where that was refused, or it is gone."""
        run_id = object_of(entry)
        if entry.outcome is not AuditOutcome.DONE or run_id is None:
            return None
        try:
            return self.dashboard.reader.run(UUID(run_id))
        except TickerNotFoundError:
            return None

    def _waits(self, entry: AuditEntry) -> str:
        """Return for what a run waits that was to start now; empty where it has started."""
        page = self._page_of(entry) if entry.action == RUN_NOW else None
        if page is None:
            return ""
        is_idle = page.run.status is TickerStatus.IDLE
        return page.explanation.summary if is_idle and page.explanation is not None else ""
