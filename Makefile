# ttgateway: the commands that people use. `make run` and `make test` make all that they need.
PYTHON ?= python3
STATE ?= ttgateway-state
PORT ?= 8000
BIN := .venv/bin
COMMAND := $(BIN)/ttgateway$(if $(filter-out ttgateway-state,$(STATE)), --state-dir $(STATE))

.PHONY: run test browser lint types docs simulate schemathesis crash storagefaults crashstates fuzz atheris clocks diagram news clean callees mutants upgrades abuse bench deb

run: .venv/run
	@echo
	@echo "ttgateway serves at http://127.0.0.1:$(PORT)/ and keeps its state in $(STATE)/ ; Ctrl-C ends it."
	@echo "Next, in a second terminal:   $(COMMAND) open     (that page, signed in)"
	@echo "then, in the same one:        $(COMMAND) listen"
	@echo "and in a third one:           $(COMMAND) simulate"
	@echo
	@exec $(BIN)/twistd -n --pidfile= ttgateway --listen tcp:$(PORT):interface=127.0.0.1 --state-dir $(STATE)

# Two workers: what measures the real machine is one's alone, and what only uses it the other's (tests/conftest.py).
test: .venv/dev
	@.ci/tools
	$(BIN)/python -m pytest -n 2 --dist loadscope --ignore=tests/browser

# The staff page, in Debian's Chromium: alone, as it measures how quick the page is.
browser: .venv/dev
	@.ci/tools
	$(BIN)/python -m pytest tests/browser

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: .venv/dev
	$(BIN)/mypy

docs: .venv/dev
	$(BIN)/sphinx-build -W --keep-going -b html docs docs/_build/html

# Attacks on a real gateway, on loopback; CASES="slow-headers idle" does these alone.
abuse: .venv/dev
	$(BIN)/python -m tests.abuse $(CASES)

# The whole gateway on a clock, a network and a disk that are made up: SEEDS=2000 of them, from FROM on; SEED=7 tells the
# story of one.
simulate: .venv/dev
	$(BIN)/python -m tests.simulation $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),2000) --from $(or $(FROM),0))

# Needs unshare and ip (util-linux, iproute2); SECONDS=600 goes on for so long, with another seed each time.
schemathesis: .venv/dev
	.ci/schemathesis $(SECONDS)

# What a power cut may leave of the store, STATES=50000 of it; then known faults are planted, and must be found.
crashstates: .venv/dev
	$(BIN)/python -m tests.crashstates --states $(or $(STATES),50000) --mutants $(if $(SEED),--seed $(SEED))

# Steps the wall clock of real daemons; needs the Debian package faketime.
clocks: .venv/dev
	$(BIN)/python -m tests.clocks $(if $(SEED),--seed $(SEED))

# Whom we call: the table against the real daemon, in namespaces of its own. Needs root, unshare, ip and mount.
callees: .venv/dev
	$(BIN)/python -m tests.callees $(ARGUMENTS)

# Small faults in the modules that decide whom we call: at least 95 % must be noticed by their tests.
mutants: .venv/dev
	$(BIN)/python -m tests.mutation $(ARGUMENTS)

# Upgrades, restores and backups, killed at each step; BOUNDED=1 tries some of the steps.
upgrades: .venv/dev
	$(BIN)/python -m tests.upgrades $(if $(BOUNDED),--bounded)

# Requests made to break the server, most of them in-process; needs unshare and ip for those over sockets.
fuzz: .venv/dev
	$(BIN)/python -m tests.fuzz --requests $(or $(REQUESTS),200000)
	$(BIN)/python -m tests.fuzz.replies --replies 20000

# Each target for so many seconds; atheris gets an environment of its own.
atheris: .venv/dev
	$(BIN)/python -m tests.fuzz.atheris_runs --seconds $(or $(SECONDS),60)

# kill -9, two gateways at a time; CYCLES=5000 for a long night.
CYCLES ?= 300
crash: .venv/dev
	$(BIN)/python -m tests.crash --cycles $(CYCLES) --jobs 2

# Needs strace, unshare and mount, and root; a quarter of an hour and more. CI runs it with --bounded.
storagefaults: .venv/dev
	$(BIN)/python -m tests.storagefaults $(STORAGEFAULTS)

# Needs Graphviz (the Debian package graphviz); the drawing is committed, so that nothing else does.
diagram:
	dot -Tsvg docs/listener-queue.dot -o docs/listener-queue.svg

# A Debian package in dist/; needs what debian/control names, which .ci/deb installs.
deb: .venv/dev
	debian/build

news: .venv/dev
	$(BIN)/towncrier build --draft --version next

# Measures the gateway beside a floor and what one would write in its place, and writes docs/performance.rst: a quarter of
# an hour on a machine that does nothing else. BENCH="--only ttgateway floor --rounds 3" measures some, and writes nothing.
bench: .venv/dev .venv-bench/made
	@bench/tools
	$(BIN)/python -m bench $(BENCH)

clean:
	rm -rf .venv .venv-schemathesis .venv-atheris .venv-bench build dist docs/_build *.egg-info

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "ttgateway needs Python 3.11 or newer; name one with: make PYTHON=python3.11 $(MAKECMDGOALS)")'
	$(PYTHON) -m venv .venv

.venv/run: .venv/bin/python setup.cfg pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

.venv/dev: .venv/bin/python setup.cfg pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch .venv/run $@

.venv-bench/made: bench/requirements.txt .venv/bin/python
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check -r bench/requirements.txt
	@touch $@
