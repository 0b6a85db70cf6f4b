# Every target sets itself up: a virtual environment in the checkout, made anew when pyproject.toml changes.
# Needed beforehand: Python >= 3.10, make, a package index.

PYTHON ?= $(firstword $(shell .ci/pythons))
VENV ?= .venv
READY = $(VENV)/.ready
RUN = $(VENV)/bin/python -m
# With SDK=1.40, say, that version takes the place of the lowest; MAIN_TESTS=tests runs the whole suite.
OLDEST = .venv-oldest$(if $(SDK),-$(SDK))
NEWEST = .venv-newest
# By files, because many have an environment or a server of their own. Two workers for each core, because they wait for
# other processes, or for the end of a deadline, half of the time.
WORKERS = $(shell echo $$(( $$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2) * 2 )))
PARALLEL = --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder
MAIN_TESTS = tests/lifecycle/test_controller.py tests/entry_points/test_configurator.py tests/examples/test_examples.py \
	$(patsubst %,tests/end_to_end/test_%.py,launcher injection processes_fork prometheus sdk_versions)
# What depends on the interpreter most; other tests inject into every one that .ci/pythons lists.
TESTS_OF_PYTHON = tests/lifecycle/test_controller.py tests/end_to_end/test_launcher.py tests/end_to_end/test_processes_fork.py \
	$(patsubst %,tests/entry_points/test_%.py,configurator sub_interpreters)
# How pushes are spread over an interval depends on no version: once is enough.
ONCE = --deselect tests/end_to_end/test_processes_fork.py::test_workers_that_start_together_do_not_push_together
# An image may set it; then each worker, and each process that a test starts, would compile our modules again.
unexport PYTHONDONTWRITEBYTECODE
OPENTELEMETRY = $(addprefix opentelemetry-,api sdk semantic-conventions instrumentation distro \
	instrumentation-flask instrumentation-system-metrics)

# A dot every two seconds while the command after it runs, whose status is that of the whole.
SHOWING_PROGRESS = while sleep 2; do printf .; done & dots=$$!; trap 'kill $$dots; echo' EXIT;

.PHONY: help demo check test test-all test-oldest test-newest test-3.14 coverage lint format pytest servers receivers docs combinations screenshot site bench fuzz soak chaos proto clean
.DEFAULT_GOAL := help

help: ## Show this list
	@echo "make TARGET, where TARGET is"
	@sed -n 's/^\([a-z0-9.-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "  %-11s %s\n", $$1, $$2 }'

demo: $(READY) ## Watch an unmodified web application's metrics arrive; PROMETHEUS=1 in a real Prometheus, with OUTAGE=1 an alert that fires; HOLD=60 for a minute
	@$(RUN) examples.launcher.demo $(if $(PROMETHEUS),--prometheus) $(if $(OUTAGE),--outage) $(if $(HOLD),--hold $(HOLD))

check: lint ## In a minute: lint, types, contracts, and the tests that need no server or other process
	$(RUN) pytest -q --numprocesses $(WORKERS) --hypothesis-profile check -m "not processes"

test: servers lint pytest test-oldest test-3.14 ## Everything that CI runs: servers, lint, types, all tests, test-oldest, test-3.14

test-all: servers lint ## The tests on every CPython from 3.10 up that .ci/pythons finds, each in a .venv-3.N of its own
	@set -e; for python in $$(.ci/pythons); do \
		venv=.venv-$$($$python -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
		echo "== $$venv"; \
		$(MAKE) --no-print-directory pytest PYTHON=$$python VENV=$$venv; \
	done

test-oldest: servers $(OLDEST)/.ready ## The main tests with the lowest version of each package that pyproject.toml allows; SDK=1.40 with that SDK
	$(OLDEST)/bin/python -m pytest $(PARALLEL) $(ONCE) $(MAIN_TESTS)

test-3.14: servers ## What depends on the interpreter, on Python 3.14: Debian's, which `servers` has unpacked, where the machine has none
	@python=$$(.ci/pythons | grep -F 3.14 || true); test -z "$$python" && echo "no Python 3.14 here: not tested on it" || { \
		$(MAKE) --no-print-directory VENV=.venv-3.14 PYTHON=$$python .venv-3.14/.ready && \
		.venv-3.14/bin/python -m pytest $(PARALLEL) $(ONCE) $(TESTS_OF_PYTHON); }

test-newest: servers ## A look ahead: the same tests with the newest OpenTelemetry that there is, also before its release
	@$(MAKE) --no-print-directory VENV=$(NEWEST) $(NEWEST)/.ready
	@# Without dependencies: each release of an instrumentation asks for one release of the SDK, which may not be the newest.
	$(NEWEST)/bin/python -m pip install --quiet --disable-pip-version-check --upgrade --pre --no-deps $(OPENTELEMETRY)
	$(NEWEST)/bin/python -m pytest $(PARALLEL) $(ONCE) $(MAIN_TESTS)

lint: $(READY) ## ruff, mypy, and which room imports which
	$(RUN) ruff check
	$(RUN) ruff format --check
	$(RUN) mypy
	$(VENV)/bin/lint-imports --no-cache

format: $(READY) ## Let ruff format the code, and fix what it can
	$(RUN) ruff format
	$(RUN) ruff check --fix

pytest: $(READY)
	$(RUN) pytest $(PARALLEL)

coverage: servers ## All tests once more, with the branches of the code that they run; it takes half as long again
	$(RUN) pytest --cov $(PARALLEL)

servers: $(READY)
	$(RUN) tests.servers.fetch

docs: $(READY) ## Write the generated parts of README.md and docs/ anew
	$(RUN) tests.docs.generated
	$(RUN) examples.monitoring.build

combinations: $(READY) ## Measure docs/reference/combinations.md anew
	$(RUN) tests.combinations

screenshot: servers ## Take the picture of the receiver's page in docs/images anew, in Debian's Chromium
	$(RUN) tests.screenshot

site: $(VENV)/.site ## Build docs/ as a site in docs/_build; warnings are errors
	$(RUN) sphinx --fail-on-warning --keep-going -q -b html docs docs/_build

receivers: servers ## Build Cortex, Thanos and a current Prometheus with Go, once; test against them, and write the matrix in docs
	-$(RUN) tests.receivers.build
	RECEIVERS=1 $(RUN) pytest tests/receivers
	$(RUN) tests.receivers.page

bench: $(READY) ## What an export costs, compared with the SDK's own collection
	$(RUN) tests.benchmarks

fuzz: $(READY) ## Fuzz what reads foreign data with other seeds, for a minute; SECONDS=3600 for an hour
	$(RUN) tests.fuzz $(if $(SECONDS),--seconds $(SECONDS))

soak: servers ## A quarter of an hour with a Prometheus that is killed and started again; SECONDS=60 for a minute
	$(RUN) tests.soak $(if $(SECONDS),--seconds $(SECONDS))

chaos: servers ## Sixty rounds of kills, full disks and corrupt pages for four workers that share a buffer; ROUNDS=5 for a few
	$(RUN) tests.soak.chaos $(if $(ROUNDS),--rounds $(ROUNDS))

proto: $(READY) ## Generate the protobuf modules anew
	$(RUN) tests.proto.protoc

clean: ## Remove the virtual environments, the servers and every cache
	rm -rf .venv .venv-* .servers docs/_build .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache dist

# What is needed to run, at its lower bound; pip finds the versions of the rest that go with it.
$(OLDEST)/.ready: pyproject.toml
	@test -n "$(PYTHON)" || { echo "make: no Python >= 3.10 found (with venv): make PYTHON=/path/to/python" >&2; exit 1; }
	@echo "Setting up $(OLDEST) with $(PYTHON)"
	@$(PYTHON) -m venv --clear $(OLDEST)
	@sed -n '/^dependencies = /,/^]/s/^ *"\([a-z0-9-]*\) [~>]= \([0-9a-z.]*\).*/\1==\2/p' $< \
		$(if $(SDK),| sed '/^opentelemetry-instrumentation=/d; s/^\(opentelemetry-[a-z]*==\).*/\1$(SDK).*/') \
		>$(OLDEST)/constraints.txt
	@$(OLDEST)/bin/python -m pip install --quiet --disable-pip-version-check --upgrade "pip >= 25.1"
	@$(SHOWING_PROGRESS) $(OLDEST)/bin/python -m pip install --quiet --disable-pip-version-check --constraint $(OLDEST)/constraints.txt \
		--editable . --group test
	@touch $@

$(READY): pyproject.toml
	@test -n "$(PYTHON)" || { echo "make: no Python >= 3.10 found (with venv): make PYTHON=/path/to/python" >&2; exit 1; }
	@echo "Setting up $(VENV) with $(PYTHON)"
	@$(VENV)/bin/python -c '' 2>/dev/null || $(PYTHON) -m venv --clear $(VENV)
	@$(RUN) pip install --quiet --disable-pip-version-check --upgrade "pip >= 25.1"
	@$(SHOWING_PROGRESS) $(RUN) pip install --quiet --disable-pip-version-check --editable . --group test --group hosts --group lint
	@touch $@

$(VENV)/.site: $(READY)
	@$(RUN) pip install --quiet --disable-pip-version-check --group site
	@touch $@
