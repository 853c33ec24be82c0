# One clone, one command: each target makes the virtual environment that it needs.
PYTHON ?= python3
VENV ?= .venv
ARGS ?=
python := $(VENV)/bin/python

.PHONY: help venv demo test test-unit verify lint format lock

help:
	@echo "make demo       run the example: web app, worker, beat, mail server, dashboard (Ctrl-C ends it)"
	@echo "make test       run the tests; ARGS='-k name' is passed to pytest"
	@echo "make test-unit  run the unit tests only; PYTHON=python3.13 VENV=.venv-3.13 for another Python"
	@echo "make verify     explore the protocol's model with one more fault than the tests do"
	@echo "make lint       ruff and mypy"
	@echo "make format     let ruff rewrite what it can"
	@echo "make lock       refresh constraints.txt"
	@echo "make venv       make or update the virtual environment"

venv:
	@scripts/venv "$(PYTHON)" "$(VENV)"

demo: venv
	@$(python) -m examples.notifications.demo

test: venv
	@$(python) -m pytest $(ARGS)

test-unit: venv
	@$(python) -m pytest tests/unit $(ARGS)

verify: venv
	@VERIFY=1 $(python) -m pytest tests/model $(ARGS)

lint: venv
	@$(python) -m ruff check .
	@$(python) -m ruff format --check .
	@$(python) -m mypy

format: venv
	@$(python) -m ruff format .
	@$(python) -m ruff check --fix .

lock: venv
	@scripts/lock "$(VENV)"
