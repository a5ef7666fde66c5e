# Everything works on a fresh machine with Python 3.11 or later; nothing else needs to be installed or running.

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
WORKERS ?= 2
MINUTES ?= 5

.PHONY: demo demo-reset test prove lint bench

demo: $(VENV)/product.stamp  ## the whole product with invented data, until Ctrl-C (AGENT=0: without the scripted agents)
	@exec $(RUN) manage.py demo $(if $(filter 0,$(AGENT)),--no-agent)

demo-reset: $(VENV)/product.stamp  ## stop what a demo left over and delete its data
	@exec $(RUN) manage.py demo --reset

test: $(VENV)/development.stamp  ## all tests, browser included (WORKERS=n: how many at once)
	$(RUN) -m pytest -n $(WORKERS) --dist=loadfile

prove: $(VENV)/development.stamp  ## masks under new statements for as long as it is told (MINUTES=n)
	$(RUN) -m tests.noninterference --minutes $(MINUTES)

lint: $(VENV)/development.stamp  ## style, types, missing migrations, system checks
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy
	@# Nothing runs while this looks at the files; without a database it warns that it has not asked one.
	$(RUN) -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
	$(RUN) manage.py check

bench: $(VENV)/development.stamp  ## how fast, beside the same thing without Countersign
	$(RUN) -m bench

# A stamp is as new as the last complete install: one that was broken off is done again.
$(VENV)/product.stamp: requirements.txt requirements-production.txt | $(RUN)
	@$(RUN) -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	$(RUN) -m pip install --quiet --disable-pip-version-check --requirement requirements.txt
	@touch $@

$(VENV)/development.stamp: requirements.txt requirements-production.txt requirements-dev.txt | $(RUN)
	@$(RUN) -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	$(RUN) -m pip install --quiet --disable-pip-version-check --requirement requirements-dev.txt
	@touch $@ $(VENV)/product.stamp

$(RUN):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Countersign needs Python 3.11 or later, not " + sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)
