"""Settings, and who handles exceptions."""

from datetime import timedelta
from uuid import UUID

from celery import Celery, Task

from tickerq_celery import Run, TickerPriority, TickerQ, TickerType

app = Celery("shop")


class FlaskTask(Task[..., object]):
    """A task class of the app's own."""


class Handler:
    def handle_exception(self, exception: BaseException, ticker_id: UUID, ticker_type: TickerType) -> None:
        """Handle a failed attempt."""

    def handle_canceled_exception(
        self, exception: BaseException, ticker_id: UUID, ticker_type: TickerType
    ) -> None:
        """Handle a cancelled run."""


class HandlerOfRuns(Handler):
    def handle_final_failure(
        self, exception: BaseException, ticker_id: UUID, ticker_type: TickerType, run: Run | None = None
    ) -> None:
        """Handle the last failure of a run."""


TickerQ(app)
TickerQ(Celery("shop", task_cls=FlaskTask))
TickerQ(app, "sqlite:///shop.db", embedded=True, lease=90, poll_interval=timedelta(seconds=2))
TickerQ(app, exception_handler=Handler)
TickerQ(app, exception_handler=HandlerOfRuns())
TickerQ(app, exception_handler=Handler(), max_concurrency=None, encryption_keys=["…"], redact=())
TickerQ(app, exception_handler="shop.handlers:Handler", priority_queues={"long_running": "long"})
TickerQ(app, priority_queues={TickerPriority.HIGH: "urgent"}, store_engine_options={"pool_size": 5})

TickerQ(app, store_ulr="sqlite:///shop.db")  # refused: call-arg | reportCallIssue
TickerQ(app, exception_handler=Celery)  # refused: arg-type | reportArgumentType
TickerQ(app, lease="90")  # refused: arg-type | reportArgumentType
TickerQ(app, encryption_keys=b"key")  # refused: arg-type | reportArgumentType
TickerQ(app, priority_queues={1.5: "long"})  # refused: arg-type | reportArgumentType
TickerQ("shop")  # refused: arg-type | reportArgumentType
