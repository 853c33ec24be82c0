# One clone, one command: each target makes the virtual environment that it needs.
PYTHON ?= python3
VENV ?= .venv
ARGS ?=
python := $(VENV)/bin/python
# Three at a time on two cores, since what starts processes mostly waits for them.
pytest := $(python) -m pytest -n 4 --dist loadfile --no-loadscope-reorder

.PHONY: help venv demo test test-unit verify proof soak bench lint format lock

help:
	@echo "make demo       run the example: web app, worker, beat, mail server, dashboard (Ctrl-C ends it)"
	@echo "make test       test each guarantee once, three tests at a time; ARGS='-k name' is passed to pytest"
	@echo "make test-unit  run the unit tests only; PYTHON=python3.13 VENV=.venv-3.13 for another Python"
	@echo "make verify     what make test leaves out: every database, broker, pool and window, and the longer forms"
	@echo "make proof      the long proofs entire: all zones, mutants and kills; SLICE=3/20 is one part of twenty"
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
	@$(pytest) $(ARGS)

test-unit: venv
	@$(python) -m pytest tests/unit $(ARGS)

verify: venv
	@VERIFY=1 $(pytest) -m verify $(ARGS)

proof: venv
	@PROOF=1 $(python) -m pytest -n 2 --dist worksteal -m proof --timeout 1800 $(ARGS)
ifndef SLICE
	@SOAK_SECONDS=600 $(python) -m tests.soak
endif

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
