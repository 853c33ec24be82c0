"""Addresses as people see them: they say where, and never how to get in."""

import pytest
from sqlalchemy.engine import make_url

from tests.inner import shown_store
from tickerq_celery.runtime.urls import shown_broker


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sqlite:////var/jobs.db", "sqlite:////var/jobs.db"),
        ("postgresql+psycopg://ann@h:5432/d", "postgresql+psycopg://ann@h:5432/d"),
        ("postgresql+psycopg://ann:hunter2@h:5432/d", "postgresql+psycopg://ann:***@h:5432/d"),
        ("postgresql://h/d?user=ann&password=hunter2", "postgresql://h/d?password=***&user=ann"),
        (
            "postgresql://h/d?sslpassword=hunter2&sslkey=a.pem",
            "postgresql://h/d?sslkey=a.pem&sslpassword=***",
        ),
        (
            "postgresql://h/d?passfile=pgpass&PassWord=hunter2",
            "postgresql://h/d?PassWord=***&passfile=pgpass",
        ),
        ("mariadb+pymysql://h/d?passwd=hunter2&charset=x", "mariadb+pymysql://h/d?charset=x&passwd=***"),
        ("mysql+mysqldb://h/d?passwd=a%26hunter2", "mysql+mysqldb://h/d?passwd=***"),
    ],
)
def test_a_store_is_shown_without_passwords(url: str, shown: str) -> None:
    assert shown_store(make_url(url)) == shown


@pytest.mark.parametrize(
    ("setting", "shown"),
    [
        ("memory://", "memory://"),
        ("redis://h:6379/0", "redis://h:6379/0"),
        ("redis://[::1]:6379/0", "redis://[::1]:6379/0"),
        ("redis://:hunter2@h:6379/0", "redis://:***@h:6379/0"),
        ("amqp://ann:hunter2@h//", "amqp://ann:***@h//"),
        ("amqp://ann:hunter2/hunter2?hunter2@hunter2#@h//", "amqp://ann:***@h//"),
        ("amqp://ann:hunter2;hunter2@h//", "amqp://ann:***@h//"),
        ("ann:hunter2@h", "ann:***@h"),
        (
            "sentinel://:hunter2@one:26379;sentinel://:hunter2@two:26379",
            "sentinel://:***@one:26379;sentinel://:***@two:26379",
        ),
        (["amqp://ann:hunter2@one", "amqp://ann:hunter2@two"], "amqp://ann:***@one;amqp://ann:***@two"),
        (("amqp://ann:hunter2@one;amqp://ann:hunter2@two",), "amqp://ann:***@one;amqp://ann:***@two"),
        ("redis://h/0?password=hunter2&ssl=1", "redis://h/0?password=***&ssl=1"),
        ("sqs://h?sentinel_password=hunter2", "sqs://h?sentinel_password=***"),
        ("tickerq-fs:///srv/a%3Bb", "tickerq-fs:///srv/a%3Bb"),
        ([], ""),
        (7, "7"),
    ],
)
def test_brokers_are_shown_without_passwords(setting: object, shown: str) -> None:
    assert shown_broker(setting) == shown
