"""The kinds of objects to which something is done."""

from tickerq_dashboard.actions.doing import Target

RUN = Target(
    noun="run",
    kind="run",
    page="run",
    list="runs",
    listed="runs",
    id_name="run_id",
    read=lambda visit, run_id: visit.dashboard.tickerq.runs.get(run_id),
)
CRON = Target(
    noun="cron ticker",
    kind="cron_ticker",
    page="cron",
    list="crons",
    listed="cron tickers",
    id_name="cron_id",
    read=lambda visit, cron_id: visit.dashboard.tickerq.cron_tickers.get(cron_id),
)
# The audit knows a chain by the run that it was named by.
CHAIN = Target(
    noun="chain",
    kind="run",
    page="chain",
    list="runs",
    listed="runs",
    id_name="run_id",
    read=lambda visit, run_id: visit.dashboard.tickerq.chains.tree(run_id),
    head=lambda chain: chain.head.run,
)
