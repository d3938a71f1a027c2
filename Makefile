# Every target sets itself up: a fresh machine needs a Python from 3.11 to 3.13 (venv, pip), make and git.
.DEFAULT_GOAL := help
SHELL := /bin/bash
FITS = import sys, ensurepip, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3,\
	$(if $(shell $(name) -c '$(FITS)' 2>/dev/null && echo fits),$(name))))
UV := .tools/bin/uv
PY := .venv/bin/python
WORKERS ?= 2
SPARK := spark and not prove

.PHONY: always help setup run test prove mutate lint format bench docs spark azurite browser clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# Changes when another Python is to be used; what was made with the one before is then made anew.
.tools/.python: always
	@python="$(PYTHON)"; "$${python:-false}" -c '$(FITS)' 2>/dev/null || { echo "Counterfoil needs a Python from 3.11 to 3.13 with venv: apt-get install python3.11 python3.11-venv python3-pip"; exit 2; }
	@mkdir -p .tools; $(PYTHON) -c 'import sys; print(sys.version, sys.base_prefix)' > $@.now
	@if cmp -s $@ $@.now; then rm $@.now; else mv $@.now $@; fi

$(UV): $(wildcard .ci/uv.txt) | .tools/.python
	@$(PYTHON) -m venv .tools && .tools/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes -r .ci/uv.txt
	@touch $@

.venv/.locked: $(UV) .tools/.python pyproject.toml uv.lock
	@UV_PYTHON_DOWNLOADS=never $(UV) sync --locked --quiet --compile-bytecode $(if $(wildcard .venv/.spark),--extra spark) --python $(PYTHON)
	@touch .venv/.locked

setup: .venv/.locked ## the private environment in .venv, from the lock file

run: setup ## the sample brand: load, build, plan, publish to a local Heap, weekly page
	@$(PY) -m pipelines.demo

test: setup ## every test, with modest example counts
	@$(PY) -m pytest -n $(WORKERS) --dist loadfile -m "not prove and not browser and not spark"

prove: setup ## the long proofs at full counts: shuffles, kills, simulations
	@COUNTERFOIL_PROVE=1 $(PY) -m pytest -n $(WORKERS) --dist loadfile -m "not browser and not spark"
	@FRESH=1 $(PY) tests/mutation/mutate.py
	@COUNTERFOIL_PROVE=1 $(MAKE) --no-print-directory spark SPARK=spark

mutate: setup ## break one model at a time: which dbt test notices? SAMPLE= MODELS= SEED= AGAIN=1
	@nice $(PY) tests/mutation/mutate.py

lint: setup ## ruff, mypy, sqlfluff, dbt parse without warnings, dbt conventions
	@.ci/lint

format: setup ## apply the formatters
	@$(PY) -m ruff format . && $(PY) -m ruff check --fix . && $(PY) -m sqlfluff fix models macros tests/dbt && $(PY) -m sqlfluff fix --templater placeholder pipelines

bench: setup ## benchmarks: ratios against a baseline in the same run
	@for script in tests/bench/bench_*.py; do echo "== $$script"; $(PY) $$script || exit 1; done

docs: setup ## dbt docs as one page that opens offline
	@$(PY) -m pipelines.docs

.venv/.spark: .venv/.locked
	@UV_PYTHON_DOWNLOADS=never $(UV) sync --locked --quiet --compile-bytecode --extra spark --python $(PYTHON)
	@touch .venv/.spark

spark: .venv/.spark ## the sample brand on Spark, every table compared with DuckDB's build
	@command -v java >/dev/null 2>&1 || { echo "Spark needs Java 17: apt-get install openjdk-17-jre-headless"; exit 2; }
	@$(PY) -m pytest -n $(WORKERS) --dist loadfile -m "$(SPARK)"

# Of npm, and only for the tests of az://, which are left out where it is missing.
.tools/azurite/.locked: $(wildcard .ci/azurite/*.json) | .tools/.python
	@command -v npm >/dev/null 2>&1 || { echo "Azure's emulator is a package of npm: apt-get install npm"; exit 2; }
	@mkdir -p .tools/azurite && cp .ci/azurite/*.json .tools/azurite/
	@npm ci --prefix .tools/azurite --ignore-scripts --omit=optional --no-fund --no-audit --loglevel=error
	@touch $@

azurite: .tools/azurite/.locked ## Azure's emulator, for the tests of az://

browser: setup ## the weekly page in a real Chromium, with the network off
	@command -v chromium >/dev/null 2>&1 || { echo "The page is rendered by Chromium: apt-get install chromium"; exit 2; }
	@UV_PYTHON_DOWNLOADS=never $(UV) sync --locked --quiet --compile-bytecode --inexact --group browser --python $(PYTHON)
	@$(PY) -m pytest -m browser

clean: ## remove what was built, not what was published
	@rm -rf target logs .mypy_cache .ruff_cache .pytest_cache
