"""A store with something of everything, as of now: what screenshots and the browser's tests look at."""

import json
import random
from datetime import UTC, datetime, timedelta
from uuid import UUID

from tests.dashboard.addresses import Objects, addresses
from tests.dashboard.seeds import Seeds
from tests.inner import VERSION, new_id, unmet_reason
from tests.tables import bulk as bulk_table
from tests.tables import functions, nodes
from tickerq_celery import RunCondition, TickerStatus, TickerType
from tickerq_celery.enums import TERMINAL, NodeKind, Origin, TickerKind
from tickerq_celery.store.database.batches import insert_rows

OCCURRENCE = int(TickerType.CRON_TICKER_OCCURRENCE)
CRONS = (
    ("shop.orders.import_orders", "0 */5 * * * *", "UTC", 5),
    ("mail.outbox.flush", "*/30 * * * * *", "UTC", 4),
    ("stock.levels.recount", "0 */10 * * * *", "UTC", 10),
    ("reports.sales.refresh_today", "0 */20 * * * *", "Europe/Berlin", 20),
    ("crm.sync.push_contacts", "0 0 * * * *", "UTC", 60),
    ("billing.books.close_month", "0 30 2 14 * *", "America/New_York", 0),
    ("reports.sales.nightly_export", "0 30 2 * * *", "Europe/Berlin", 24 * 60),
)
TIMED = ("mail.receipts.send_receipt", "billing.cards.charge_card", "mail.carts.remind_basket")
ERRORS = {
    "billing.cards.charge_card": ("GatewayTimeout", "no answer within 30 s (customer 1034)"),
    "shop.orders.import_orders": ("KeyError", "'vat_id' in row 219 of orders-1127.csv"),
    "stock.levels.recount": ("DeadlockDetected", "process 4711 waits for ShareLock on transaction 99182"),
    "mail.receipts.send_receipt": ("SMTPServerDisconnected", "Connection unexpectedly closed"),
}
# As the core stores why a child was skipped.
UNMET = unmet_reason(RunCondition.ON_SUCCESS, TickerStatus.FAILED)
UNMET_BELOW = unmet_reason(RunCondition.ON_SUCCESS, TickerStatus.SKIPPED)
TRACEBACK = """Traceback (most recent call last):
  File "/usr/lib/python3.11/site-packages/celery/app/trace.py", line 477, in trace_task
    R = retval = fun(*args, **kwargs)
  File "/srv/shop/billing/cards.py", line 118, in charge_card
    receipt = gateway.charge(order.customer, order.amount, token)
  File "/srv/shop/billing/gateway.py", line 64, in charge
    answer = self._post("/v2/charges", body)
  File "/srv/shop/billing/gateway.py", line 91, in _post
    raise GatewayTimeout(f"no answer within {self.timeout} s (customer {customer})")
billing.gateway.GatewayTimeout: no answer within 30 s (customer 1034)
"""
REQUEST = {
    "order": {
        "customer": 1034,
        "amount": "129.90",
        "currency": "EUR",
        "card_token": "tok_1",
        "items": [7, 12, 31],
    },
    "gateway": {"endpoint": "https://pay.example/v2", "authorization": "Bearer x", "timeout_s": 30},
    "dry_run": False,
}


class Showcase:
    """Writes the store, and knows the address of each page over it."""

    def __init__(self, seeds: Seeds, *, runs: int = 1_500) -> None:
        self.seeds = seeds
        self.now = seeds.now = datetime.now(UTC).replace(microsecond=0)
        self._random = random.Random(7)
        self.worker = self._nodes()
        self._functions()
        self.crons = {name: self._cron(*cron) for name, *cron in [(each[0], *each) for each in CRONS]}
        self._history(runs)
        self.failed = self._failed()
        self.waiting = self._waiting()
        self._active()
        self.chain = self._chain()
        self.job = self._bulk()

    def beat(self) -> None:
        """Let all nodes have beaten just now, as living ones do."""
        now = datetime.now(UTC)
        beaten = nodes.update().values(seen_at=now, clock_at=now)
        ticked = (
            nodes.update()
            .where(nodes.c.kind == NodeKind.BEAT.value)
            .values(ticked_at=now, pruned_at=now - timedelta(seconds=20))
        )
        for statement in (beaten, ticked):
            self.seeds.tickerq.core.write(lambda tx, each: tx.execute(each), statement)

    @property
    def objects(self) -> Objects:
        """What the pages of single objects are of."""
        return Objects(
            failed=self.failed,
            waiting=self.waiting,
            upcoming=self.upcoming,
            running=self.running,
            call=self.call,
            chain=self.chain,
            cron=self.crons["reports.sales.nightly_export"],
            paused_cron=self.crons["crm.sync.push_contacts"],
            edited_cron=self.crons["billing.books.close_month"],
            job=self.job,
            function="billing.cards.charge_card",
            cron_function="reports.sales.refresh_today",
            tag="crm",
        )

    @property
    def paths(self) -> dict[str, str]:
        """The pages, by a name for each."""
        return addresses(self.objects)

    def _nodes(self) -> UUID:
        limits = {"max_concurrency": None, "max_concurrency_per_key": 1, "rate_limit": None}
        names = [*TIMED, *(each[0] for each in CRONS), "ops.alerts.notify_billing"]
        for kind, name in (
            (NodeKind.BEAT, "beat-1"),
            (NodeKind.BEAT, "beat-2"),
            *((NodeKind.WORKER, f"worker-{n}") for n in (1, 2, 3)),
        ):
            is_beat = kind is NodeKind.BEAT
            worker = new_id()
            row = {
                "id": worker,
                "namespace": self.seeds.tickerq.config.namespace,
                "kind": kind.value,
                "name": name,
                "host": "shop-7",
                "pid": 4711,
                "version": VERSION,
                "queues": [] if is_beat else ["celery", "payments"],
                "broker": None,
                "pool": None if is_beat else "prefork",
                "concurrency": None if is_beat else 8,
                "prefetch": None if is_beat else 4,
                "functions": {} if is_beat else dict.fromkeys(names, limits),
                "functions_hash": "a",
                "definitions": {} if is_beat else dict.fromkeys(names, "d1"),
                "definitions_hash": "b",
                "entries": [] if is_beat else None,
                "heartbeat": timedelta(hours=2),
                "lease": timedelta(hours=9),
                "counter": 9,
                "started_at": self.now - timedelta(days=3),
                "seen_at": self.now,
                "clock_at": self.now,
                "memory": 210_000_000,
                "ticked_at": self.now if is_beat else None,
                "claimed": 91_204 if is_beat else None,
                "pruned": 12_480 if is_beat else None,
            }
            self.seeds.tickerq.core.write(insert_rows, nodes, [row])
        return worker

    def _functions(self) -> None:
        for name in (*TIMED, *(each[0] for each in CRONS)):
            row = {
                "namespace": self.seeds.tickerq.config.namespace,
                "name": name,
                "path": name,
                "queue": None,
                "summary": f"{name.rpartition('.')[2].replace('_', ' ').capitalize()}.",
                "priority": 2,
                "on_lost": "retry",
                "retries": 3,
                "max_concurrency": 4 if "cards" in name else None,
                "retry_intervals": [timedelta(seconds=30), timedelta(minutes=1)],
                "registered_at": self.now,
                "request_schema": {"type": "object", "required": ["order"]} if "cards" in name else None,
                "updated_at": self.now,
            }
            self.seeds.tickerq.core.write(insert_rows, functions, [row])

    def _cron(self, function: str, expression: str, zone: str, minutes: int) -> UUID:
        coming = self.seeds.tickerq.cron_tickers.preview(expression, time_zone=zone, count=1)[0]
        is_paused = function == "crm.sync.push_contacts"
        is_edited = function == "billing.books.close_month"
        return self.seeds.cron(
            function=function,
            expression=expression,
            time_zone=zone,
            seed_expression="0 30 3 14 * *" if is_edited else expression,
            next_run_at=None if is_paused else coming,
            resume_from=coming if is_paused else None,
            is_enabled=not is_paused,
            paused_by="ben" if is_paused else None,
            paused_reason="import of the new segments is running" if is_paused else None,
            paused_at=self.now - timedelta(minutes=41) if is_paused else None,
            last_run_at=coming - timedelta(minutes=minutes) if minutes else None,
            retries=2,
            pause_on_failure=3,
            tags=["shop"],
            description="Export of the day's sales for the warehouse" if "export" in function else None,
            timeout=timedelta(minutes=20),
            created_at=self.now - timedelta(days=30),
            updated_at=self.now - timedelta(days=12 if is_edited else 30),
        )

    def _history(self, runs: int) -> None:
        for number in range(runs):
            back = timedelta(minutes=self._random.uniform(0, 60 * 24) ** 1.0)
            function = self._random.choice([*TIMED, *(each[0] for each in CRONS[:5])])
            self._ended(function, self.now - back, number)
        for day in range(1, 22):
            self._ended("reports.sales.nightly_export", self.now - timedelta(days=day), day)

    def _ended(self, function: str, at: datetime, number: int) -> None:
        dice = self._random.random()
        status = (
            TickerStatus.FAILED
            if dice < 0.02 and function in ERRORS
            else TickerStatus.SKIPPED
            if dice < 0.03
            else TickerStatus.CANCELLED
            if dice < 0.034
            else TickerStatus.DUE_DONE
            if dice < 0.06
            else TickerStatus.DONE
        )
        took = timedelta(seconds=self._random.lognormvariate(-0.5, 1.2))
        has_run = status is not TickerStatus.SKIPPED
        lag = timedelta(seconds=41 if status is TickerStatus.DUE_DONE else self._random.uniform(0.05, 0.9))
        error = ERRORS.get(function, (None, None)) if status is TickerStatus.FAILED else (None, None)
        cron = self.crons.get(function)
        self.seeds.run(
            function=function,
            status=status,
            execution_time=at - took - lag,
            ended_at=at,
            started_at=at - took if has_run else None,
            elapsed=took if has_run else None,
            type=OCCURRENCE if cron else int(TickerType.TIME_TICKER),
            cron_ticker_id=cron,
            origin=Origin.CRON.value if cron else Origin.ADDED.value,
            is_late=status is TickerStatus.DUE_DONE,
            exception_type=error[0],
            exception_message=error[1],
            ended_on="worker-2" if has_run else None,
            retry_count=3 if status is TickerStatus.FAILED else (1 if number % 19 == 0 and has_run else 0),
            skipped_reason="the run before it was still in progress (overlap: skip)" if not has_run else None,
            tags=["region:eu"] if number % 3 else [],
            created_at=at - took - lag - timedelta(seconds=1),
        )

    def _failed(self) -> UUID:
        """A chain: an import that went well, a payment that failed four times, and what hangs on it."""
        end = self.now - timedelta(seconds=22)
        head = self.seeds.run(
            function="shop.orders.import_orders",
            status=TickerStatus.DONE,
            execution_time=end - timedelta(minutes=5, seconds=4),
            ended_at=end - timedelta(minutes=5),
            started_at=end - timedelta(minutes=5, seconds=4),
            elapsed=timedelta(seconds=4.1),
            has_children=True,
        )
        failed = self.seeds.run(
            function="billing.cards.charge_card",
            description="Order 10342, customer 1034",
            status=TickerStatus.FAILED,
            execution_time=end - timedelta(minutes=4, seconds=30),
            started_at=end - timedelta(seconds=30),
            ended_at=end,
            elapsed=timedelta(seconds=30),
            retry_count=3,
            queue="payments",
            tags=["billing", "region:eu"],
            exception_type="GatewayTimeout",
            exception_message=ERRORS["billing.cards.charge_card"][1],
            request=json.dumps(REQUEST).encode(),
            ended_on="worker-2",
            parent_id=head,
            root_id=head,
            run_condition=0,
            has_children=True,
            origin=Origin.CHAIN.value,
        )
        for number in range(4):
            started = end - timedelta(minutes=4, seconds=30) + timedelta(seconds=80 * number)
            self.seeds.attempt(
                failed,
                number=number,
                started_at=started,
                ended_at=started + timedelta(seconds=30),
                exception_type="GatewayTimeout",
                exception_message=ERRORS["billing.cards.charge_card"][1],
                traceback=TRACEBACK,
                node="worker-2",
            )
        lines = [
            [(end - timedelta(seconds=30 - at)).isoformat(), level, text]
            for at, level, text in (
                (0, "INFO", "charging customer 1034, attempt 4"),
                (10, "WARNING", "gateway slow: 10 s without a first byte"),
                (30, "ERROR", "gateway did not answer within 30 s"),
                (30, "ERROR", "no attempt left: the run has failed"),
            )
        ]
        self.seeds.log(failed, lines, attempt=3)
        for function, condition, status in (
            ("mail.receipts.send_receipt", 0, TickerStatus.SKIPPED),
            ("ops.alerts.notify_billing", 1, TickerStatus.DONE),
        ):
            done = status is TickerStatus.DONE
            self.seeds.run(
                function=function,
                status=status,
                parent_id=failed,
                root_id=head,
                run_condition=condition,
                origin=Origin.CHAIN.value,
                ended_at=end + timedelta(seconds=1),
                execution_time=None,
                due_at=None,
                created_at=end - timedelta(minutes=5),
                elapsed=timedelta(milliseconds=302) if done else None,
                started_at=end if done else None,
                skipped_reason=None if done else UNMET,
            )
        return failed

    def _waiting(self) -> UUID:
        self.seeds.tickerq.pauses.pause(tag="crm", reason="Import of the new segments is running", by="ben")
        waiting = self.seeds.run(
            function="crm.sync.push_contacts",
            execution_time=self.now - timedelta(minutes=9),
            held_for="paused",
            hold_key="tag:crm",
            held_since=self.now - timedelta(minutes=9),
            tags=["crm"],
        )
        for minutes in (3, 8, 44, 200):
            self.upcoming = self.seeds.run(
                function="mail.carts.remind_basket",
                execution_time=self.now + timedelta(minutes=minutes),
                request=b'{"basket":7}',
            )
        return waiting

    def _bulk(self) -> UUID:
        """A job that is half done, one run of which was retried meanwhile, and one that waits for beat."""
        bulk = self.seeds.tickerq.bulk
        ids = [each.id for each in self.seeds.tickerq.runs.history(status="failed", limit=20)]
        job = bulk.start("retry", ids=[*ids, self.waiting], reason="the gateway is back", by="ben")
        bulk.start("delete", status="skipped", function_prefix="shop.", by="ann")
        skips = {"is Idle: it cannot be retried": [1, [str(self.waiting)]]}
        self.seeds.tickerq.core.write(
            lambda tx: tx.execute(
                bulk_table.update()
                .where(bulk_table.c.id == job.id)
                .values(state="running", changed=len(ids) // 2, skipped=1, skips=skips, started_at=self.now)
            )
        )
        return job.id

    def _chain(self) -> UUID:
        """A chain with a run of every status: its head is done, its middle has failed, its end waits."""
        start = self.now - timedelta(minutes=6)

        def below(parent: UUID | None, function: str, status: TickerStatus, **columns: object) -> UUID:
            row: dict[str, object] = {"ended_at": start + timedelta(minutes=2)} if status in TERMINAL else {}
            if status in {TickerStatus.DONE, TickerStatus.DUE_DONE, TickerStatus.FAILED}:
                row |= {"started_at": start, "elapsed": timedelta(seconds=42)}
            return self.seeds.run(
                function=function,
                status=status,
                parent_id=parent,
                **({"root_id": head, "origin": Origin.CHAIN.value} if parent else {}),
                **(
                    {"execution_time": None, "due_at": None, "run_condition": 0, "created_at": start}
                    | row
                    | columns
                ),
            )

        waits = {"held_for": "parent", "held_since": start}
        many = {"has_children": True}
        head = below(
            None,
            "shop.orders.import_orders",
            TickerStatus.DONE,
            **many,
            execution_time=start,
            run_condition=None,
        )
        charge = below(
            head,
            "billing.cards.charge_card",
            TickerStatus.FAILED,
            **many,
            exception_type="GatewayTimeout",
            exception_message=ERRORS["billing.cards.charge_card"][1],
        )
        receipt = below(
            charge, "mail.receipts.send_receipt", TickerStatus.SKIPPED, **many, skipped_reason=UNMET
        )
        below(receipt, "crm.sync.push_contacts", TickerStatus.SKIPPED, skipped_reason=UNMET_BELOW)
        below(charge, "ops.alerts.notify_billing", TickerStatus.DUE_DONE, run_condition=1, is_late=True)
        recount = below(
            head,
            "stock.levels.recount_all_of_every_warehouse_there_is",
            TickerStatus.IN_PROGRESS,
            **many,
            run_condition=4,
            running_on=self.worker,
            claim_no=1,
            started_at=self.now - timedelta(seconds=50),
            lock_holder="worker-3",
            locked_at=self.now,
        )
        below(recount, "mail.carts.remind_basket", TickerStatus.IDLE, **waits)
        below(head, "reports.sales.refresh_today", TickerStatus.QUEUED, claim_no=1, locked_at=self.now)
        below(head, "reports.sales.nightly_export", TickerStatus.CANCELLED, run_condition=4)
        return charge

    def _active(self) -> None:
        self.running = self.seeds.run(
            function="shop.orders.import_orders",
            status=TickerStatus.IN_PROGRESS,
            running_on=self.worker,
            execution_time=self.now - timedelta(minutes=2),
            started_at=self.now - timedelta(minutes=2),
            claim_no=1,
            progress=0.69,
            progress_message="row 6,900 of 10,000",
            lock_holder="worker-3",
            locked_at=self.now,
            published_at=self.now - timedelta(minutes=2),
            queue="celery",
        )
        for seconds in (4, 31):
            self.seeds.run(
                function="billing.cards.charge_card",
                status=TickerStatus.QUEUED,
                published_at=self.now - timedelta(seconds=seconds),
                execution_time=self.now - timedelta(seconds=seconds),
                queue="payments",
                claim_no=1,
                locked_at=self.now - timedelta(seconds=seconds),
            )
        self.call = self.seeds.run(
            function="shop.tasks.refresh_prices",
            kind=TickerKind.CELERY_TASK.value,
            status=TickerStatus.QUEUED,
            task_id="d1f3c2aa-7b1f-4f3e-9d59-2f3a9c6f8e11",
            locked_at=self.now,
            on_lost="fail",
            due_at=None,
            published_at=self.now,
            started_at=self.now,
            retry_count=1,
            request=b'{"args":[2,3],"kwargs":{"currency":"EUR"},"options":{}}',
        )
        self.seeds.attempt(
            self.call, exception_type="ConnectionError", exception_message="no answer", node="worker-1"
        )
