"""The two ways to serve the dashboard: inside a host application, or alone."""

from collections.abc import Mapping
from functools import partial

from flask import Blueprint, Flask, redirect, request, url_for
from werkzeug.wrappers import Response

from tickerq_celery import TickerQ
from tickerq_celery.errors import ConfigError
from tickerq_celery.views import TickerConfig
from tickerq_dashboard.access.accounts import UserEntry
from tickerq_dashboard.access.guard import Guard, guard_unmatched
from tickerq_dashboard.access.headers import protect
from tickerq_dashboard.access.host_auth import HostAuth
from tickerq_dashboard.access.login import LoginSettings, login_of
from tickerq_dashboard.access.origins import check_address
from tickerq_dashboard.access.refusals import WrongAddressError
from tickerq_dashboard.access.roles import role_permissions
from tickerq_dashboard.access.signing import csrf_of
from tickerq_dashboard.assets import read_assets
from tickerq_dashboard.auditing import RefusalAudit
from tickerq_dashboard.blueprint import RouteBlueprint
from tickerq_dashboard.errors import ErrorPages
from tickerq_dashboard.health import HealthWatch
from tickerq_dashboard.options import options_of
from tickerq_dashboard.reading.cursors import Cursors
from tickerq_dashboard.reading.reader import Reader
from tickerq_dashboard.reading.side import side_counts
from tickerq_dashboard.rendering import Renderer
from tickerq_dashboard.routes import ROUTES
from tickerq_dashboard.visits import Dashboard


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
        auth: Instead of users, a callable that takes the request and returns a ``User``, a name (which is a
            viewer) or None; or literally "none", which lets every visitor read.
        base_path: The address below which the pages live.
        secret: What signs forms and the cursors of lists, the same in every process. By default forms are
            signed by a key made from the password hashes, or by the application's ``secret_key``, which is
            needed where ``auth`` is a callable.
        options: ``title`` at the head of the pages, the ``environment`` beside it, by default the namespace,
            a ``notice`` on each page, ``page_size`` of the lists
            (1 to 200), ``permissions`` of roles that differ from the usual ones, ``api_tokens`` of programs,
            ``allowed_hosts``.

    Raises:
        ConfigError: No user could log in, a password is not hashed, or an option does not exist.
    """
    kind: type = type(tickerq)
    # What else it may be is not for us to say: a testing kit stands in for a TickerQ.
    if kind is type(None) or hasattr(kind, "send_task"):
        raise ConfigError("tickerq", f"pass the TickerQ of a Celery app, not a {kind.__name__}")
    checked = options_of(base_path, secret, options)
    settings = LoginSettings(
        users=users, auth=auth, api_tokens=checked.api_tokens, roles=role_permissions(checked.permissions)
    )
    refusals = RefusalAudit(tickerq)
    identify = login_of(settings, refusals)
    csrf = csrf_of(checked.secret, users, is_host_login=callable(auth))
    reader = Reader(tickerq, page_size=checked.page_size)
    watch, assets = HealthWatch(tickerq, count=partial(side_counts, reader)), read_assets()
    renderer = Renderer(watch, assets, csrf, checked, namespace=partial(_namespace, tickerq))
    errors = ErrorPages(renderer)
    blueprint = RouteBlueprint("tickerq_dashboard", __name__, url_prefix=checked.url_prefix, routes=ROUTES)
    guard = Guard(
        identify, blueprint.routes, csrf=csrf, refusals=refusals, allowed_hosts=checked.allowed_hosts
    )
    blueprint.before_request(guard.ask)
    blueprint.after_request(protect)
    blueprint.record(lambda state: csrf.accept_host_secret(state.app.secret_key))
    blueprint.record(partial(guard_unmatched, guard=guard, show=errors.show))
    errors.register(blueprint)
    blueprint.serve(
        Dashboard(
            tickerq=tickerq,
            options=checked,
            watch=watch,
            renderer=renderer,
            assets=assets,
            reader=reader,
            cursors=Cursors(secret, tickerq),
            routes=blueprint.routes,
            asks_password=bool(users),
        )
    )
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
    # Doubled slashes are an address that does not exist, not one to be sent elsewhere.
    app.url_map.merge_slashes = False
    if blueprint.url_prefix != "/":
        app.add_url_rule("/", "root", _to_overview)
    app.after_request(protect)
    return app


def _namespace(tickerq: TickerQ) -> str:
    """Return the namespace, empty where it is the one that everybody has, or where no setting can be read."""
    try:
        namespace = tickerq.config.namespace
    except Exception:  # noqa: BLE001 - the page that says what failed must not fail for its head
        return ""
    return "" if namespace == TickerConfig().namespace else namespace


def _to_overview() -> Response:
    try:
        check_address(request, ())
    except WrongAddressError as error:
        return Response(f"{error}\n", status=400, mimetype="text/plain")
    return redirect(url_for("tickerq_dashboard.overview"))
