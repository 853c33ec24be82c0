"""Addresses that the rows of the route table answer."""

from collections.abc import Mapping

from flask import Flask

from tickerq_dashboard.routing import Route


def address_of(app: Flask, route: Route, samples: Mapping[str, object]) -> str:
    """Return an address that the row answers."""
    endpoint = f"tickerq_dashboard.{route.name}"
    [rule] = app.url_map.iter_rules(endpoint)
    given = {name: samples[name] for name in rule.arguments}
    return app.url_map.bind("localhost").build(endpoint, given, method=route.method)
