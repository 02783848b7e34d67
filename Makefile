# Two commands do everything: `make run` and `make test`. Both need python3 (with venv), make and the network.

export UV_PYTHON_DOWNLOADS := never
# With this set, every start would compile every module again.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
UV := $(shell command -v uv 2>/dev/null || echo .venv/bin/uv)
STAMPS := .venv/.stamps
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help setup run test check fix messages bench fairness screenshots clean

help: ## Say what there is
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

$(STAMPS)/venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Fairwell needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V). Try: make PYTHON=python3.12 …"; exit 1; }
	@echo "Making the environment in .venv …"
	@$(PYTHON) -m venv .venv || { echo "python3 came without venv. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@command -v uv >/dev/null || { echo "Fetching uv …"; $(BIN)/python -m pip install -q --disable-pip-version-check uv; }
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/run: $(STAMPS)/venv pyproject.toml uv.lock
	@echo "Installing what the product needs …"
	@VIRTUAL_ENV= $(UV) sync -q --frozen --inexact
	@touch $@

$(STAMPS)/test: $(STAMPS)/run
	@echo "Installing what the tests and checks need …"
	@VIRTUAL_ENV= $(UV) sync -q --frozen --inexact --group test --group check --extra pdf
	@touch $@

CATALOGUES := $(wildcard locale/*/LC_MESSAGES/django.po)
$(STAMPS)/messages: $(STAMPS)/run $(CATALOGUES)
	@$(BIN)/python -m config.catalogues
	@touch $@

# The embedded default has its tables at once; any other database is migrated by hand.
ifeq ($(DATABASE_URL)$(FAIRWELL_VAR)$(FAIRWELL_ENV),)
TABLES := var/.tables
endif
var/.tables: $(STAMPS)/run $(wildcard */migrations/*.py)
	@$(BIN)/python manage.py migrate -v 0 --noinput
	@touch $@

setup: $(STAMPS)/run $(STAMPS)/messages $(TABLES) ## Build .venv; afterwards .venv/bin/python manage.py … works

run: setup ## Start the demo: web, worker, mail catcher (PORT=8000)
	@FAIRWELL_DEMO=1 exec $(BIN)/python manage.py run

test: setup $(STAMPS)/test ## Run every test that this machine can run, and say which it cannot
	@exec bash tests/run.sh

check: setup $(STAMPS)/test ## Lint, types, layers, templates, migrations, deployment settings
	@exec bash tests/check.sh

fix: $(STAMPS)/test ## Let the formatters do what they can
	@$(BIN)/ruff check -q --fix . ; $(BIN)/ruff format -q .

messages: setup ## Gather strings for translation (needs GNU gettext)
	@$(BIN)/python manage.py makemessages --all --no-location --no-wrap --no-obsolete --ignore=.venv --ignore=var --ignore=tests

bench: setup $(STAMPS)/test ## Measure; prints ratios, asserts nothing
	@for file in bench/*.py; do echo "== $$file"; $(BIN)/python $$file --quick || exit 1; done

fairness: setup $(STAMPS)/test ## Walk every way out in Chromium, and write the report card
	@FAIRWELL_TESTING=1 FAIRWELL_VAR="$${FAIRWELL_VAR:-$$PWD/var/test}" FAIRWELL_WRITE_FAIRNESS=1 $(BIN)/python -m pytest tests/fairness -m browser

screenshots: setup $(STAMPS)/test ## Make the pictures of the documentation
	@FAIRWELL_SCREENSHOTS=docs/screenshots $(BIN)/python -m pytest tests/voices -m browser

clean: ## Remove the environment and everything the demo wrote
	rm -rf .venv var
