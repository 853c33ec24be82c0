"""A dashboard over TickerQ's store: who may look, and what they see."""

from tickerq_dashboard.access.host_auth import User
from tickerq_dashboard.app import create_app, create_blueprint

__all__ = ["User", "create_app", "create_blueprint"]
