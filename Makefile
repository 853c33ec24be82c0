# One clone, one command: each target makes the virtual environment that it needs.
PYTHON ?= python3
VENV ?= .venv
ARGS ?=
python := $(VENV)/bin/python

.PHONY: help venv demo test test-unit verify soak bench lint format lock

help:
	@echo "make demo       run the example: web app, worker, beat, mail server, dashboard (Ctrl-C ends it)"
	@echo "make test       run the tests, two at a time; ARGS='-k name' is passed to pytest"
	@echo "make test-unit  run the unit tests only; PYTHON=python3.13 VENV=.venv-3.13 for another Python"
	@echo "make verify     the long proofs: model, state machine, every window on every database and broker, every zone"
	@echo "make soak       kill everything at random for SOAK_SECONDS=600, then check what became of each ticker"
	@echo "make bench      what an idle tick of beat costs beside 100,000 cron tickers; ARGS='postgresql+psycopg://…'"
	@echo "make lint       ruff and mypy"
	@echo "make format     let ruff rewrite what it can"
	@echo "make lock       refresh constraints.txt"
	@echo "make venv       make or update the virtual environment"

venv:
	@scripts/venv "$(PYTHON)" "$(VENV)"

demo: venv
	@$(python) -m examples.notifications.demo

test: venv
	@$(python) -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

test-unit: venv
	@$(python) -m pytest tests/unit $(ARGS)

verify: venv
	@VERIFY=1 $(python) -m pytest --timeout 1800 tests/model tests/stateful tests/windows tests/acceptance tests/unit/schedule/test_cron_oracle.py $(ARGS)

soak: venv
	@$(python) -m tests.soak

bench: venv
	@$(python) -m benchmarks.idle_tick $(ARGS)

lint: venv
	@$(python) -m ruff check .
	@$(python) -m ruff format --check .
	@$(python) -m mypy

format: venv
	@$(python) -m ruff format .
	@$(python) -m ruff check --fix .

lock: venv
	@scripts/lock "$(VENV)"
