# The only way in: the same verbs at the desk and in CI.
PYTHON ?= python3
VENV := .venv
# The generator of the site has an environment of its own: the other verbs do not need it.
SITE_VENV := .venv-site
BIN_NAME := $(if $(filter Windows_NT,$(OS)),Scripts,bin)
BIN := $(VENV)/$(BIN_NAME)
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo test browser screens check mutants coverage bench plugin docs site format lock clean release-check workflows

help: ## list the verbs
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22

$(VENV)/ready: requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Stash2Plex needs Python 3.11 or newer; set PYTHON=/path/to/python3.11")'
	@$(PYTHON) -m venv $(VENV) || { echo 'The venv module is missing: on Debian and Ubuntu run "apt install python3-venv".' >&2; exit 1; }
	@echo 'Installing the locked development packages into $(VENV) ...'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

demo: plugin ## both servers on loopback, a library, a queue that empties before your eyes (ARGS="--scenes 5000 --keep")
	@$(BIN)/python -m stash2plex demo $(ARGS)

test: plugin browser ## the whole test suite, as CI runs it (ARGS="-k queue")
	@$(BIN)/python -m pytest -n 5 --dist worksteal $(ARGS)

browser: $(VENV)/ready ## what the page's tests need: a driver, a Chromium, the host page; reports what is missing
	@$(BIN)/python -m tools.browser

screens: plugin browser ## write the pictures of the page in docs/screens
	@$(BIN)/python -m tools.build_page_screens

check: $(VENV)/ready ## formatting, lint, types
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

coverage: plugin browser ## which lines and branches no test runs, including the plugin's own processes
	@$(BIN)/python -m tools.reach $(ARGS)

mutants: plugin browser ## break the package place by place: what does no test notice? (ARGS="--changed", ARGS="--seed 7 --sample 60")
	@$(BIN)/python -m tools.mutants $(ARGS)

bench: plugin ## the benchmark table, also written to dist/bench.json
	@$(BIN)/python -m tools.bench $(ARGS)

plugin: $(VENV)/ready ## dist/Stash2Plex.zip and dist/index.yml, byte for byte reproducible
	@$(BIN)/python -m tools.build_plugin
	@$(BIN)/python -m tools.bill_of_materials

$(SITE_VENV)/ready: requirements/site.txt
	@$(PYTHON) -m venv $(SITE_VENV)
	@echo 'Installing the locked generator of the site into $(SITE_VENV) ...'
	@$(SITE_VENV)/$(BIN_NAME)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/site.txt
	@touch $@

site: plugin $(SITE_VENV)/ready ## the documents as a static site in dist/site, with archive and index beside them; a broken link fails it
	@$(BIN)/python -m tools.build_site $(SITE_VENV)/$(BIN_NAME)/mkdocs

release-check: site ## before a release: versions and changelog agree, licences are there, two more builds give the same bytes; writes the release notes (ARGS="--tag v2.0.0")
	@$(BIN)/python -m tools.release_check $(ARGS)
	@$(BIN)/python -m tools.release_notes

workflows: $(VENV)/ready ## check the workflows of .github with actionlint (needs Go)
	@$(BIN)/python -m tools.check_workflows

docs: $(VENV)/ready ## write the generated pages and screens in docs
	@$(BIN)/python -m tools.build_docs
	@$(BIN)/python -m tools.build_screens

format: $(VENV)/ready ## format the tree in place
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock: $(VENV)/ready ## pin the newest allowed packages with hashes
	@$(BIN)/python -m pip install --quiet uv
	@for set in runtime dev site browser; do $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header requirements/$$set.in -o requirements/$$set.txt; done

clean: ## remove everything that the other verbs made
	@rm -rf $(VENV) $(SITE_VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
