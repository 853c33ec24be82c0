"""The route table as a blueprint of Flask."""

from collections.abc import Callable, Iterable
from typing import Any

from flask import Blueprint, request
from pydantic import BaseModel
from werkzeug.wrappers import Response

from tickerq_dashboard.access.visitors import current_request_id, current_visitor
from tickerq_dashboard.parsing import body_in, command_in, query_in, refuse_unknown
from tickerq_dashboard.preferences import asked_operation, check_zone
from tickerq_dashboard.routing import Route
from tickerq_dashboard.visits import Dashboard, Visit

# All readings of a page, a form or an answer take so many read budgets together: with one of 2 s, and 0.6 s
# for the banner, it ends within 3 s. What a form writes is not counted.
READ_BUDGETS = 1.1


class RouteBlueprint(Blueprint):
    """A blueprint whose every address is a row of the route table."""

    def __init__(self, name: str, import_name: str, *, url_prefix: str, routes: Iterable[Route]) -> None:
        super().__init__(name, import_name, url_prefix=url_prefix)
        self.routes = {route.name: route for route in routes}

    def serve(self, dashboard: Dashboard) -> None:
        """Give each row its address, answered for this dashboard."""
        for route in self.routes.values():
            super().add_url_rule(
                route.path,
                route.name,
                _view(route, dashboard),
                methods=[route.method],
                strict_slashes=route.path != "/",
            )

    def add_url_rule(self, rule: str, *_: Any, **__: Any) -> None:
        """Refuse what is no row of the table: it would have no permission."""
        raise TypeError(f"{rule}: an address of the dashboard is a row of its route table")


def _view(route: Route, dashboard: Dashboard) -> Callable[..., str | Response]:
    def answer(**path: Any) -> str | Response:
        visit = Visit(dashboard=dashboard, visitor=current_visitor(), request_id=current_request_id())
        if route.is_api:
            refuse_unknown(request.args, route.query)
        else:
            check_zone()
        has_banner = route.permission is not None and not route.is_api
        did = asked_operation()
        if did is not None and dashboard.reader.follow(did):
            dashboard.watch.renew()
        elif has_banner:
            dashboard.watch.begin()
        given: dict[str, BaseModel] = {}
        if route.query is not None:
            given["query"] = query_in(request.args, route.query)
        if route.command is not None:
            given["command"] = (body_in if route.is_api else command_in)(request, route.command)
        try:
            with dashboard.tickerq.reading_within(READ_BUDGETS * dashboard.tickerq.config.read_budget):
                return route.handler(visit, **given, **path)
        finally:
            if has_banner:
                # For the pages after it: beside this one it would slow it down.
                dashboard.watch.refresh()

    return answer
