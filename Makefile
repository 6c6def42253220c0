# Everything goes through here; what each target does lives in scripts/, which CI calls alike.
# VENV=dir puts the virtual environment elsewhere, PYTHON=python3.12 chooses the interpreter,
# ARGS="..." is passed on to the command a target runs.

VENV ?= .venv
export VENV PYTHON

python := $(VENV)/bin/python
pytest := $(python) -m pytest
# What measures time runs by itself, after the rest; exit code 5 means that nothing was selected.
fast := not slow and not prometheus and not browser and not cluster and not postgresql

.DEFAULT_GOAL := help
.PHONY: help demo test test-fast lint format bench bench-api bench-cluster bench-forecast benchmarks soak soak-leaders docs-check real-parts install install-dev clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: install ## install, then compare scaling policies on two recorded traces
	@$(VENV)/bin/autoscaler demo $(ARGS)

test: install-dev real-parts ## everything: real servers, static checks, all tests
	@sh scripts/lint.sh
	@$(pytest) -n auto --dist loadfile -m "not quiet" $(ARGS) || [ $$? = 5 ]
	@$(pytest) -m quiet $(ARGS) || [ $$? = 5 ]

test-fast: install-dev ## the inner loop: seconds, no servers, no browser
	@$(pytest) -q -n auto --dist loadfile -m "$(fast)" $(ARGS)

lint: install-dev ## ruff, mypy, import rules, links in the docs
	@sh scripts/lint.sh

format: install-dev ## let ruff format and mend what it can
	@$(VENV)/bin/ruff format .
	@$(VENV)/bin/ruff check --fix .

bench: install-dev ## measure speed and memory against the stated bars
	@$(python) tests/bench/run.py $(ARGS)

bench-api: install-dev ## measure the service with 100 clients beside a control loop
	@$(python) tests/bench/api_load.py $(ARGS)

bench-cluster: install-dev ## measure the operator with 1,000 resources on a real control plane
	@$(python) tests/cluster/scale_bench.py $(ARGS)

bench-forecast: install-dev ## measure forecasts on traces they were not trained on, write docs/benchmarks.md
	@mkdir -p build
	@$(python) -m tests.bench.peak_forecast --traces ../shared/traces --out build/peak-forecast.json
	@$(python) -m tests.bench.results_page --traces ../shared/traces --forecaster build/peak-forecast.json --out docs/benchmarks.md $(ARGS)

benchmarks: bench-forecast ## the same

soak: install-dev ## the long random run of the decision core
	@$(python) tests/soak/run.py $(ARGS)

soak-leaders: install-dev real-parts ## kill the leading operator every 30 s for ten minutes, under load
	@$(python) tests/cluster/leader_soak.py $(ARGS)

docs-check: install-dev ## links and make targets named in the docs exist
	@$(python) scripts/check_docs.py

clean: ## remove the virtual environment, caches and reports
	@[ ! -e "$(VENV)/pyvenv.cfg" ] || rm -rf "$(VENV)"
	@rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@rm -f demo-report.html backtest-report.html
	@find autoscaler tests scripts -name __pycache__ -type d -prune -exec rm -rf {} +

install:
	@sh scripts/install.sh run

install-dev: ## the virtual environment with everything tests and checks need
	@sh scripts/install.sh dev

real-parts:
	@sh scripts/real-parts.sh
