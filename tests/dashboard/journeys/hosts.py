"""An application that has users of its own, and a dashboard in it."""

from typing import Any

from flask import Flask, redirect, session
from flask_wtf.csrf import CSRFProtect, generate_csrf

from tests.dashboard.seeds import Seeds
from tickerq_dashboard import User, create_blueprint


def in_a_host_with_a_log_in(seeds: Seeds) -> tuple[Flask, str]:
    """A host with forms of its own and a log-in of its own, which the dashboard asks who is there."""
    host = Flask("host", static_folder=None)
    host.secret_key = "the host's own secret"
    csrf = CSRFProtect(host)
    blueprint = create_blueprint(
        seeds.tickerq,
        auth=lambda request: User(name=session["user"], role="admin") if "user" in session else None,
        base_path="/admin/tickerq",
        secret="0123456789abcdef",
    )
    host.register_blueprint(blueprint)
    csrf.exempt(blueprint)

    @host.get("/log-in")
    def form() -> str:
        token = generate_csrf()
        field = f'<input type="hidden" name="csrf_token" value="{token}">'
        return f'<form method="post">{field}<button name="user" value="ann">Log in</button></form>'

    @host.post("/log-in")
    def log_in() -> Any:
        session["user"] = "ann"
        return redirect("/admin/tickerq/")

    return host, "/admin/tickerq"
