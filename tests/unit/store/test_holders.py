"""What is said of the node that runs a run."""

from datetime import UTC, datetime, timedelta

from tickerq_celery.store.nodes.holders import Holder

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)


def test_how_long_ago_it_was_seen_is_said_in_hours_and_minutes() -> None:
    holder = Holder(name="celery@web1", seen_at=NOW - timedelta(seconds=8_808.4))
    assert holder.last_seen(NOW) == "was last seen 2 h 26 min ago"
    assert Holder(name="celery@web1", seen_at=None).last_seen(NOW) == "is gone"
