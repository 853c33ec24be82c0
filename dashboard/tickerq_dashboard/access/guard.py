"""The guard of every address below the base path: nothing is answered before it knows who asks."""

import re
from collections.abc import Callable, Collection, Mapping

from flask import Response, request
from flask.blueprints import BlueprintSetupState
from werkzeug.exceptions import MethodNotAllowed, NotFound, RequestEntityTooLarge

from tickerq_dashboard.access.csrf import FIELD, HEADER, CsrfTokens
from tickerq_dashboard.access.headers import protect
from tickerq_dashboard.access.origins import check_address, check_origin
from tickerq_dashboard.access.refusals import ForgedRequestError, NeedsTokenError, RefusalLog
from tickerq_dashboard.access.roles import ForbiddenError, Permission
from tickerq_dashboard.access.visitors import Visitor, admit, mount_at
from tickerq_dashboard.routing import SAFE, Route

Identify = Callable[[], Visitor | Response]
# Of a form or a JSON command; a payload is within it.
MAX_BODY_BYTES = 256 * 1024


class Guard:
    """Lets a request in whose visitor has the permission of its route, and who sent it from our own pages."""

    def __init__(
        self,
        identify: Identify,
        routes: Mapping[str, Route],
        *,
        csrf: CsrfTokens,
        refusals: RefusalLog,
        allowed_hosts: Collection[str] = (),
    ) -> None:
        self._identify = identify
        self._routes = routes
        self._csrf = csrf
        self._refusals = refusals
        self._allowed_hosts = allowed_hosts

    def ask(self) -> Response | None:
        """Let the visitor of a request in, or return the answer to an unauthenticated one.

        Raises:
            ForbiddenError: The visitor may not do what the route does.
            ForgedRequestError: It would change something, and no page of ours sent it for this visitor.
            RequestEntityTooLarge: Its body is.
            WrongAddressError: It names a host or a prefix that is not ours.
        """
        route = self._routes.get((request.endpoint or "").rpartition(".")[2])
        if route is None:
            raise NotFound
        if route.permission is None:
            return None
        found = self.let_in()
        if not isinstance(found, Visitor):
            return found
        try:
            self._check(route, route.permission, found)
        except (ForbiddenError, ForgedRequestError) as error:
            self._refusals(route.audit or f"dashboard.{route.name}", str(error), visitor=found)
            raise
        return None

    def let_in(self) -> Visitor | Response:
        """Note who is there, or return the answer to an unauthenticated visitor."""
        check_address(request, self._allowed_hosts)
        found = self._identify()
        if isinstance(found, Visitor):
            admit(found)
        return found

    def _check(self, route: Route, permission: Permission, visitor: Visitor) -> None:
        if not visitor.may(permission):
            raise ForbiddenError(permission)
        if request.method in SAFE:
            return
        # Before the form is parsed. What says no length is read to the first byte too many: Werkzeug cuts it
        # there, and would take the part for the whole.
        request.max_content_length = MAX_BODY_BYTES + 1
        if (request.content_length or 0) > MAX_BODY_BYTES or len(request.get_data()) > MAX_BODY_BYTES:
            raise RequestEntityTooLarge
        # A token of a program is never sent by a browser of its own accord.
        if visitor.via == "dashboard":
            check_origin(request)
            token = request.headers.get(HEADER) or request.form.get(FIELD)
            if token is None and route.is_api:
                raise NeedsTokenError
            self._csrf.check(token, visitor.name, route.name)


def guard_unmatched(state: BlueprintSetupState, guard: Guard, show: Callable[[Exception], Response]) -> None:
    """Guard the addresses below a blueprint that match no rule of it by their method or slashes.

    A blueprint's own guard does not run for them: Flask would answer 405, or redirect, before any log-in.
    """
    name = f"{state.name_prefix}.{state.name}".lstrip(".")
    prefix = (state.url_prefix or "").rstrip("/")

    def ask() -> Response | None:
        error = request.routing_exception
        if error is None or not _is_below(request.path, prefix):
            return None
        mount_at(name)
        try:
            found = guard.let_in()
            if isinstance(found, Visitor):
                found = show(error if isinstance(error, MethodNotAllowed) else NotFound())
        except Exception as failure:  # noqa: BLE001  # shows it, as the blueprint's handler does of its pages
            found = show(failure)
        return protect(found)

    state.app.before_request(ask)


def _is_below(path: str, prefix: str) -> bool:
    path = re.sub("/+", "/", path)
    return path == prefix or path.startswith(f"{prefix}/")
