"""Creates the database: the ticker store's tables and the example's own."""

from examples.fastapi_host.celery_app import tickerq
from examples.fastapi_host.database import engine
from examples.fastapi_host.models import Base


def main() -> None:
    """Create what is missing; running it again changes nothing."""
    tickerq.create_schema()
    Base.metadata.create_all(engine())


if __name__ == "__main__":
    main()
