"""The two ways to serve the dashboard: inside a host application, or alone."""

from collections.abc import Mapping

from flask import Blueprint, Flask, redirect, url_for
from werkzeug.wrappers import Response

from tickerq_celery import TickerQ
from tickerq_dashboard.accounts import UserEntry
from tickerq_dashboard.errors import register_errors
from tickerq_dashboard.guards import HostAuth, guard_of
from tickerq_dashboard.headers import protect
from tickerq_dashboard.options import options_of
from tickerq_dashboard.pages import Pages
from tickerq_dashboard.rendering import Renderer


def create_blueprint(
    tickerq: TickerQ,
    *,
    users: Mapping[str, UserEntry] | None = None,
    auth: HostAuth | str | None = None,
    base_path: str = "/tickerq/dashboard",
    secret: str | bytes | None = None,
    **options: object,
) -> Blueprint:
    """Return the dashboard as a blueprint to register on a Flask application.

    Args:
        tickerq: Whose store is shown.
        users: Names with password hashes of ``werkzeug.security``, or with (hash, role).
        auth: Instead of users, a callable that takes the request and returns the user's name or None;
            or literally "none", which allows every request.
        base_path: The address below which the pages live.
        secret: What will sign forms; the pages have none as long as they only read.
        options: ``title`` at the head of the pages, ``page_size`` of the lists (1 to 200).

    Raises:
        ConfigError: No user could log in, a password is not hashed, or an option does not exist.
    """
    checked = options_of(base_path, secret, options)
    guard = guard_of(users, auth)
    renderer = Renderer(title=checked.title)
    blueprint = Blueprint(
        "tickerq_dashboard",
        __name__,
        url_prefix=checked.url_prefix,
        static_folder="static",
        static_url_path="/static",
    )
    blueprint.before_request(guard)
    blueprint.after_request(protect)
    register_errors(blueprint, renderer)
    Pages(tickerq, renderer, page_size=checked.page_size).register(blueprint)
    return blueprint


def create_app(
    tickerq: TickerQ,
    *,
    users: Mapping[str, UserEntry] | None = None,
    auth: HostAuth | str | None = None,
    base_path: str = "/tickerq/dashboard",
    secret: str | bytes | None = None,
    **options: object,
) -> Flask:
    """Return a Flask application that serves the dashboard and nothing else; ``/`` leads to it.

    It takes what ``create_blueprint`` takes, and refuses what that refuses.
    """
    app = Flask(__name__, static_folder=None)
    blueprint = create_blueprint(
        tickerq, users=users, auth=auth, base_path=base_path, secret=secret, **options
    )
    app.register_blueprint(blueprint)
    if blueprint.url_prefix != "/":
        app.add_url_rule("/", "root", _to_overview)
    app.after_request(protect)
    return app


def _to_overview() -> Response:
    return redirect(url_for("tickerq_dashboard.overview"))
