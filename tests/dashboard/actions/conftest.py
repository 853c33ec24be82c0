"""A dashboard whose host knows the role of each visitor, and an admin who visits it."""

import pytest
from flask.testing import FlaskClient

from tests.dashboard.access.users import SECRET, by_role
from tests.dashboard.actions.forms import Person
from tests.dashboard.seeds import Seeds
from tickerq_dashboard import create_app


@pytest.fixture
def client(seeds: Seeds) -> FlaskClient:
    return create_app(seeds.tickerq, auth=by_role, secret=SECRET).test_client()


@pytest.fixture
def admin(client: FlaskClient) -> Person:
    return Person(client)
