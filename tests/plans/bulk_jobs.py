"""A bulk job of each namespace of a long history."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from tests.tables import bulk


def write_job(connection: Connection, namespace: str, job_id: UUID, ended_at: datetime) -> None:
    """Write a job that has retried a hundred runs, and skipped a few."""
    connection.execute(
        bulk.insert().values(
            id=job_id,
            namespace=namespace,
            action="retry",
            state="done",
            wanted={"function": ["shop.f0"]},
            actor="mara",
            as_of=ended_at,
            later=[],
            changed=100,
            skipped=7,
            skips={"it has succeeded": [7, []]},
            batches=1,
            created_at=ended_at,
            started_at=ended_at,
            updated_at=ended_at,
            ended_at=ended_at,
        )
    )
