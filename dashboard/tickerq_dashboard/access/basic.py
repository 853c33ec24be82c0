"""A log-in by the browser's own question for a name and a password."""

from collections.abc import Mapping
from datetime import timedelta

from flask import Response, request
from flask_httpauth import HTTPBasicAuth  # type: ignore[import-untyped]  # it ships no types

from tickerq_dashboard.access.credentials import PasswordCheck
from tickerq_dashboard.access.origins import is_script
from tickerq_dashboard.access.refusals import RefusalLog, WrongPasswordError
from tickerq_dashboard.access.roles import Permissions
from tickerq_dashboard.access.visitors import Visitor, current_request_id
from tickerq_dashboard.problem_details import ProblemDetails, as_problem, is_of_a_program
from tickerq_dashboard.show.durations import exact

REALM = "TickerQ"
LOG_IN = "dashboard.log_in"
REFUSAL = "Log in to see this dashboard.\n"


class BasicLogin:
    """Asks for a name and a password, and checks them at each request."""

    def __init__(self, check: PasswordCheck, roles: Mapping[str, Permissions], refusals: RefusalLog) -> None:
        self._check = check
        self._roles = roles
        self._refusals = refusals
        self._basic = HTTPBasicAuth(realm=REALM)

    def __call__(self) -> Visitor | Response:
        """Return who is there, or the question.

        Raises:
            ThrottledError: It cannot be tried now.
        """
        # Not login_required: it lets OPTIONS through without credentials.
        given = self._basic.get_auth()
        if given is None or given.username is None or given.password is None:
            return unauthorized()
        try:
            account = self._check.account(given.username, given.password, request.remote_addr)
        except WrongPasswordError as error:
            wait = exact(timedelta(seconds=error.wait))
            note = f"; further ones are refused for {wait}" if error.wait else ""
            self._refusals(LOG_IN, f"{error}{note}", account=error.account)
            return unauthorized()
        return Visitor(name=account.name, role=account.role, permissions=self._roles[account.role])


def unauthorized(body: str = REFUSAL, *, scheme: str | None = None) -> Response:
    """Return the question for a log-in; to a script by a scheme for which browsers open no password box."""
    asked = scheme or ("xBasic" if is_script(request) else "Basic")
    header = {"WWW-Authenticate": f'{asked} realm="{REALM}"'}
    if is_of_a_program():
        details = ProblemDetails(
            title="Not logged in", status=401, detail=body.strip(), request_id=current_request_id()
        )
        response = as_problem(details)
        response.headers.update(header)
        return response
    return Response(body, status=401, headers=header, mimetype="text/plain")
