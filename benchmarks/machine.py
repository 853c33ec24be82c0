"""What a measure ran on: processor, memory, system, and the versions and settings of all that took part."""

import os
import platform
import sqlite3
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path

import psutil
from amqp import Connection
from redis import Redis
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.pool import NullPool

from benchmarks.environments import pinned
from benchmarks.outcomes import Machine
from benchmarks.servers import Servers
from benchmarks.subjects import MARIADB, POSTGRES, RABBITMQ, REDIS, SQLITE, Measure

OURS = ("celery", "kombu", "sqlalchemy", "psycopg", "pymysql", "redis")
PEERS = {
    "celery": ("celery", "kombu"),
    "django-celery-beat": ("django-celery-beat", "django"),
    "sqlalchemy-celery-beat": ("sqlalchemy-celery-beat",),
    "celery-redbeat": ("celery-redbeat",),
    "apscheduler": ("apscheduler",),
    "procrastinate": ("procrastinate", "psycopg"),
}
SETTINGS = {
    POSTGRES: ("fsync", "synchronous_commit", "shared_buffers"),
    MARIADB: ("innodb_flush_log_at_trx_commit", "innodb_buffer_pool_size"),
    REDIS: ("appendonly", "save"),
}


def machine(measure: Measure, servers: Servers) -> Machine:
    """Return the machine as it is, with the servers and peers that a measure uses."""
    kinds = sorted({kind for subject in measure.subjects for kind in subject.needs})
    usable = [kind for kind in kinds if servers.missing(kind) is None]
    return Machine(
        cpu=processor(Path("/proc/cpuinfo")),
        cores=os.cpu_count() or 1,
        memory_gb=round(psutil.virtual_memory().total / 2**30, 1),
        kernel=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        versions=(*_servers(usable, servers), *_packages(measure)),
        settings=tuple(line for kind in usable for line in _settings(kind, servers)),
    )


def processor(cpuinfo: Path) -> str:
    """Return the model of the processor, as Linux knows it, else as Python does."""
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            name, _, model = line.partition(":")
            if name.strip() == "model name":
                return model.strip()
    return platform.processor() or platform.machine()


def _packages(measure: Measure) -> Iterator[str]:
    yield ", ".join(f"{name} {version(name)}" for name in OURS)
    for environment in sorted({each.environment for each in measure.subjects if each.environment}):
        packages = ", ".join(f"{name} {pinned(environment, name)}" for name in PEERS[environment])
        yield f"beside: {packages}"


def _servers(kinds: Iterable[str], servers: Servers) -> Iterator[str]:
    for kind in kinds:
        if kind == SQLITE:
            yield f"SQLite {sqlite3.sqlite_version}"
        elif kind == REDIS:
            with Redis.from_url(servers.url(kind)) as redis:
                yield f"Redis {redis.info('server')['redis_version']}"
        elif kind == RABBITMQ:
            yield f"RabbitMQ {_rabbitmq_version(servers.url(kind))}"
        else:
            name = "PostgreSQL" if kind == POSTGRES else "MariaDB"
            query = "SHOW server_version" if kind == POSTGRES else "SELECT version()"
            yield f"{name} {_scalar(servers.url(kind), query)}"


def _settings(kind: str, servers: Servers) -> Iterator[str]:
    for name in SETTINGS.get(kind, ()):
        if kind == REDIS:
            with Redis.from_url(servers.url(kind)) as redis:
                value = redis.config_get(name).get(name)
        else:
            query = f"SHOW {name}" if kind == POSTGRES else f"SELECT @@{name}"
            value = _scalar(servers.url(kind), query)
        yield f"{kind} {name}={value!s}" if value != "" else f'{kind} {name}=""'


def _scalar(url: str, query: str) -> object:
    with create_engine(url, poolclass=NullPool).connect() as connection:
        value: object = connection.execute(text(query)).scalar_one()
        return value


def _rabbitmq_version(url: str) -> str:
    address = make_url(url)
    host = f"{address.host}:{address.port or 5672}"
    with Connection(host, userid=address.username or "guest", password=address.password or "guest") as amqp:
        return str(amqp.server_properties["version"])
