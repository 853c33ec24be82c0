"""The web app: registration over HTTP, and the dashboard."""

import logging
import signal
import socket
import sys
import threading

from flask import Blueprint, Flask, Response, jsonify, redirect, request, url_for
from pydantic import ValidationError
from werkzeug.security import generate_password_hash
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.wrappers import Response as Redirection

from examples.notifications.celery_app import app as celery_app
from examples.notifications.celery_app import database, settings, tickerq
from examples.notifications.listening import listen
from examples.notifications.logs import configure
from examples.notifications.requests import RegisterRequest
from examples.notifications.user_service import UserService
from tickerq_dashboard import create_blueprint

WANTED = 'send a JSON object as application/json: {"email": "user@example.com", "name": "John Doe"}'

logger = logging.getLogger(__name__)
user_service = UserService(database, tickerq, settings)
users = Blueprint("users", __name__, url_prefix="/api/users")


@users.post("/register")
def register() -> tuple[Response, int]:
    """Register a user and answer with the id, or say what is wrong with the request."""
    try:
        body = RegisterRequest.model_validate(request.get_json(silent=True))
    except ValidationError as exc:
        return jsonify(error=explained(exc)), 400
    user = user_service.register_user(body.email, body.name)
    delay = settings.welcome_delay.total_seconds()
    logger.info("registered %s; the welcome email is due in %d s", user.email, delay)
    return jsonify(userId=str(user.id)), 200


def explained(error: ValidationError) -> str:
    """Say in one line what is wrong with a registration."""
    problems = [
        f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
        for problem in error.errors()
        if problem["loc"]
    ]
    return "; ".join(problems) or WANTED


def create_app() -> Flask:
    """Return the WSGI app; any server can run it, also `flask --app examples.notifications.web run`."""
    celery_app.loader.import_default_modules()  # so that this process knows the functions it schedules
    web = Flask(__name__)
    web.register_blueprint(users)
    password_hash = generate_password_hash("secure-password")
    web.register_blueprint(
        create_blueprint(
            tickerq,
            users={"admin": (password_hash, "admin")},
            base_path="/admin/tickerq",
            notice="This is a demonstration, and everyone knows its password: let no other machine reach it.",
        )
    )
    web.add_url_rule("/", "home", home)
    return web


def home() -> Redirection:
    """Lead to the only pages that there are."""
    return redirect(url_for("tickerq_dashboard.overview"))


class QuietRequestHandler(WSGIRequestHandler):
    """Leaves requests out of the log: the app says itself what happened."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


def server_on(listener: socket.socket, web: Flask) -> BaseWSGIServer:
    """Return a server of the app on a socket that listens."""
    address, port = listener.getsockname()[:2]
    with listener:  # the server has a descriptor of its own
        return make_server(
            address, port, web, threaded=True, request_handler=QuietRequestHandler, fd=listener.fileno()
        )


def main() -> None:
    """Serve the app until SIGTERM or SIGINT."""
    configure(short=settings.short_logs)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    web = create_app()
    try:
        listeners = listen(settings.host, settings.port)
    except OSError as exc:
        sys.exit(f"cannot listen on port {settings.port} of {settings.host}: {exc.strerror}")
    first, *others = [server_on(each, web) for each in listeners]
    logger.info("listening on %s:%d", settings.host, settings.port)
    for server in others:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    first.serve_forever()


if __name__ == "__main__":
    main()
