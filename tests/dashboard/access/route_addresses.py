"""Addresses that the rows of the route table answer."""

from collections.abc import Mapping

from flask import Flask

from tests.dashboard.seeds import Seeds
from tickerq_dashboard.routing import Route


def samples_in(seeds: Seeds) -> Mapping[str, object]:
    """Store a run, a cron ticker and a bulk job; return what addresses name, by the names of their parts."""
    return {
        "run_id": seeds.run(),
        "cron_id": seeds.cron(),
        "job_id": seeds.tickerq.bulk.start("retry", status="failed").id,
        "filename": "icon.svg",
        "name": "SendDailyDigest",
        "address": "nowhere",
    }


def address_of(app: Flask, route: Route, samples: Mapping[str, object]) -> str:
    """Return an address that the row answers."""
    endpoint = f"tickerq_dashboard.{route.name}"
    [rule] = app.url_map.iter_rules(endpoint)
    given = {name: samples[name] for name in rule.arguments}
    return app.url_map.bind("localhost").build(endpoint, given, method=route.method)
