# make            lists the targets
SERVICE ?=
STREAM ?=
SUITE ?= sid
ARGS ?=
VENV := .venv
.DEFAULT_GOAL := help
COMPOSE := compose-up compose-down compose-test
.PHONY: help up demo down unit test test-asterisk check bench soak logs psql look clean packages test-packages check-packages node-modules screens venv $(COMPOSE)

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

demo: packages venv ## start everything, with a simulated exchange that makes calls; prints the logins
	@ops/stack/demo --calls

up: packages venv ## start everything but the simulator
	@ops/stack/demo

down: ## stop it all; the data stays in .stack
	@for ports in .stack/*/ports .stack/ports; do \
		[ ! -e $$ports ] || STACK_DIR=$${ports%/ports} ops/stack/stack down || exit; \
	done
	@echo "Stopped. The data is still in .stack; 'make clean' removes it."

unit: venv ## the tests that need no servers, in under a minute; ARGS= goes to pytest
	@$(VENV)/bin/python -m pytest -q -n auto --dist worksteal tests/architecture tests/unit tests/contracts $(ARGS)

test: test-packages venv ## the checks and every test, on servers of their own; ARGS= goes to pytest
	@ops/stack/test $(ARGS)

test-asterisk: test-packages venv ## test with calls through a real Asterisk; needs root; SUITE=bullseye is an old one
	@ops/asterisk/root "$(SUITE)"
	@ASTERISK_SUITE=$(SUITE) ops/stack/test -m asterisk tests/asterisk $(ARGS)

check: check-packages venv node-modules ## style, types, who may import whom, and the unit tests of the page
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	node_modules/.bin/biome ci
	node_modules/.bin/tsc --project .
	node_modules/.bin/tsc --project tsconfig.dom.json
	node --test --test-reporter=dot tests/web/*.test.js

bench: test-packages venv ## measure performance, as ratios within one run
	@$(VENV)/bin/python -m tests.performance.run $(ARGS)

soak: test-packages venv ## the tests at their full sizes
	@ops/stack/test -m soak --timeout 0 $(ARGS)

logs: ## follow the log of the services
	@tail -n 50 -F .stack/log/services.log

psql: ## SERVICE=calls: open its database
	@ops/stack/psql "$(SERVICE)"

look: ## STREAM=call-…: print its events
	@$(VENV)/bin/journal look "$(STREAM)"

clean: down ## stop it all and remove the data and the caches
	@rm -rf .stack .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@echo "Removed .stack."

compose-up: ## start everything in containers; prints the logins
	@ops/compose/up

compose-down: ## stop the containers and remove them with their data
	@docker compose --profile asterisk down --volumes

compose-test: venv ## run the system tests against containers of their own, removed afterwards; DOCKER_HOST= names the engine
	@ops/compose/test $(ARGS)

screens: test-packages venv ## take the pictures of docs/screens from the running demonstration
	@$(VENV)/bin/python -m tests.browser.screens

packages:
	@ops/stack/packages

test-packages:
	@ops/stack/packages tests

check-packages:
	@ops/stack/packages check

venv:
	@ops/stack/venv

node-modules:
	@ops/stack/node-modules
