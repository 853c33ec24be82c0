"""A dashboard over TickerQ's store: who may look, and what they see."""

from tickerq_dashboard.app import create_app, create_blueprint

__all__ = ["create_app", "create_blueprint"]
