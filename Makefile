# One clone, one command: each target makes the virtual environment that it needs.
PYTHON ?= python3
VENV ?= .venv
DOCS_VENV ?= .venv-docs
ARGS ?=
python := $(VENV)/bin/python
# Else each of the tests' hundreds of processes would compile all that it imports.
unexport PYTHONDONTWRITEBYTECODE
# More at a time than there are cores, since what starts processes mostly waits for them.
pytest := $(python) -m pytest -n 4 --dist loadfile --no-loadscope-reorder

.PHONY: help venv demo screenshots pictures drawings recording test test-unit verify next-part measure-parts proof soak bench profile bench-report docs docs-serve docs-venv lint format lock

help:
	@echo "make demo       run the example: web app, worker, beat, mail server, dashboard (Ctrl-C ends it)"
	@echo "make screenshots  pictures of every page of the dashboard, in build/screenshots"
	@echo "make pictures   the four pictures of the README anew, in docs/pictures"
	@echo "make drawings   the drawings of the concepts anew; make recording the terminal in which the demo runs"
	@echo "make test       test each guarantee once, four tests at a time; ARGS='-k name' is passed to pytest"
	@echo "make test-unit  run the unit tests only; PYTHON=python3.13 VENV=.venv-3.13 for another Python"
	@echo "make verify     what make test leaves out: every database, broker, pool and window, and the longer forms;"
	@echo "                TICKERQ_PART=2 is the second of its three parts"
	@echo "make next-part  let .ci/run take the next of the three parts of verify: the last commit of a push"
	@echo "make measure-parts  run verify, and divide its parts by the seconds that its files took"
	@echo "make proof      the long proofs entire: all zones, mutants and kills; SLICE=3/20 is one part of twenty"
	@echo "make soak       kill everything at random for SOAK_SECONDS=600, then check what became of each ticker"
	@echo "make bench      measure beside the peers, and install them; ARGS='dispatch prune' names measures, QUICK=1 is short"
	@echo "make profile    write flame graphs of a beat and a worker's child; ARGS='POSTGRES_URL REDIS_URL FOLDER'"
	@echo "make bench-report  write the page and charts of docs/how-it-works/benchmarks anew, without measuring"
	@echo "make docs       build the site into build/site, in which no link may be broken; make docs-serve shows it as you write"
	@echo "make lint       ruff, mypy, and TypeScript for the dashboard's script"
	@echo "make format     let ruff rewrite what it can"
	@echo "make lock       refresh constraints.txt"
	@echo "make venv       make or update the virtual environment"

venv:
	@scripts/venv "$(PYTHON)" "$(VENV)"

demo: venv
	@$(python) -m examples.notifications.demo

screenshots: venv
	@$(python) -m tests.dashboard.screenshots build/screenshots $(ARGS)

pictures: venv
	@$(python) -m tests.dashboard.screenshots readme

drawings: venv
	@$(python) docs/site/site_drawings.py

recording: venv
	@$(python) docs/site/site_terminal.py

test: venv
	@$(pytest) $(ARGS)

test-unit: venv
	@$(python) -m pytest tests/unit $(ARGS)

verify: venv
	@VERIFY=1 $(pytest) -m verify $(ARGS)

next-part:
	@echo $$(( $$(cat .ci/part) % 3 + 1 )) > .ci/part
	@git commit --quiet --message "ci: take part $$(cat .ci/part) of verify next" .ci/part

measure-parts: venv
	@mkdir -p build
	@env -u TICKERQ_PART SECONDS_OF_TESTS=build/seconds.csv $(MAKE) verify
	@$(python) -m tests.parts build/seconds.csv

proof: venv
	@PROOF=1 $(python) -m pytest -n 2 --dist worksteal -m proof --timeout 1800 $(ARGS)
ifndef SLICE
	@SOAK_SECONDS=600 $(python) -m tests.soak
endif

soak: venv
	@$(python) -m tests.soak

bench: venv
	@$(python) -m benchmarks $(if $(QUICK),--quick) $(ARGS)

profile: venv
	@$(python) -m benchmarks.flames $(ARGS)

bench-report: venv
	@$(python) -m benchmarks --report $(if $(QUICK),--quick)

# Warnings are errors: a broken link, a missing anchor, a page that no index names, a docstring that cannot be read.
sphinx := $(DOCS_VENV)/bin/python -m
site := -c docs/site --fail-on-warning docs build/site

docs: docs-venv
	@$(sphinx) sphinx --quiet --jobs 2 $(site)
	@echo "the site is in build/site: open build/site/index.html"

docs-serve: docs-venv
	@$(sphinx) sphinx_autobuild --port 8080 $(site)

docs-venv:
	@scripts/venv "$(PYTHON)" "$(DOCS_VENV)" docs

lint: venv
	@$(python) -m ruff check .
	@$(python) -m ruff format --check .
	@$(python) -m mypy
	@scripts/check-script "$(VENV)"

format: venv
	@$(python) -m ruff format .
	@$(python) -m ruff check --fix .

lock: venv
	@scripts/lock "$(VENV)"
