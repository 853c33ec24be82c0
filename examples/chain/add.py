"""Adds an order: python -m examples.chain.add CENTS"""

import sys

import examples.chain.jobs  # noqa: F401 - the functions: with them, no worker need have registered them
from examples.chain.celery_app import tickerq
from tickerq_celery import RunCondition, TimeTicker

run = tickerq.time_tickers.add(
    TimeTicker(
        function="ChargeCard",
        request={"cents": int(sys.argv[1])},
        children=[
            TimeTicker(function="ReserveStock", run_condition=RunCondition.IN_PROGRESS),
            TimeTicker(
                function="SendReceipt",
                run_condition=RunCondition.ON_SUCCESS,
                retries=3,
                children=[TimeTicker(function="AskForReview", run_condition=RunCondition.ON_SUCCESS)],
            ),
            TimeTicker(function="CallCustomer", run_condition=RunCondition.ON_FAILURE),
        ],
    )
)
print(run.id)
