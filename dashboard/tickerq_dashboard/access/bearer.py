"""A log-in of programs, by a token that they send of their own accord."""

from flask import Response, request

from tickerq_dashboard.access.basic import LOG_IN, unauthorized
from tickerq_dashboard.access.guard import Identify
from tickerq_dashboard.access.refusals import RefusalLog
from tickerq_dashboard.access.throttle import Throttle
from tickerq_dashboard.access.tokens import ApiTokens
from tickerq_dashboard.access.visitors import Visitor


class BearerLogin:
    """Takes a token where a request brings one, and asks another log-in where it does not."""

    def __init__(
        self, tokens: ApiTokens, throttle: Throttle, otherwise: Identify, refusals: RefusalLog
    ) -> None:
        self._tokens = tokens
        self._throttle = throttle
        self._otherwise = otherwise
        self._refusals = refusals

    def __call__(self) -> Visitor | Response:
        """Return which program is there, or what the other log-in says.

        Raises:
            ThrottledError: It cannot be tried now.
        """
        given = request.authorization
        if given is None or given.type != "bearer":
            return self._otherwise()
        visitor = self._tokens.visitor(given.token or "")
        if visitor is None:
            self._throttle.begin(request.remote_addr)
            self._refusals(LOG_IN, "wrong token")
            return unauthorized("This token is not known.\n", scheme="Bearer")
        return visitor
