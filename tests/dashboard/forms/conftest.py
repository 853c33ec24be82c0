"""A dashboard whose process has two functions, and an admin who fills in its forms."""

import pytest
from flask.testing import FlaskClient
from pydantic import BaseModel

from tests.dashboard.access.users import SECRET, by_role
from tests.dashboard.actions.forms import Person
from tests.dashboard.seeds import Seeds
from tickerq_celery import TickerContext
from tickerq_dashboard import create_app


class Order(BaseModel):
    customer: int
    amount: str = "1.00"


@pytest.fixture
def client(seeds: Seeds) -> FlaskClient:
    @seeds.tickerq.function("charge_card")
    def charge_card(context: TickerContext[Order], request: Order) -> None: ...

    @seeds.tickerq.function("clean_up")
    def clean_up(context: TickerContext[None]) -> None: ...

    @seeds.tickerq.app.task(name="shop.refresh", shared=False)
    def refresh(*args: int, **kwargs: str) -> None: ...

    return create_app(seeds.tickerq, auth=by_role, secret=SECRET).test_client()


@pytest.fixture
def admin(client: FlaskClient) -> Person:
    return Person(client)
