# Everything here sets itself up: a machine needs python3 (3.11 to 3.13), make, and a package index.
UV_VERSION := 0.13.9
LOCAL_UV := .tools/uv-$(UV_VERSION)/bin/uv
UV := $(shell uv --version 2>/dev/null | grep -q '^uv 0\.13\.' && command -v uv || echo $(LOCAL_UV))
SYNCED := .venv/.synced
BIN := .venv/bin
BENCHES := $(subst /,.,$(basename $(shell grep -l '__main__' bench/*.py 2>/dev/null)))
GENERATORS := $(wildcard docs/generate_*.py)

export UV_PROJECT_ENVIRONMENT := .venv
export UV_PYTHON_DOWNLOADS := never
# No part of this phones home, and a process that may write bytecode starts twice as fast the next time.
export DO_NOT_TRACK := 1
export MLFLOW_DISABLE_TELEMETRY := true
export PREFECT_SERVER_ANALYTICS_ENABLED := false
export GX_ANALYTICS_ENABLED := false
unexport PYTHONDONTWRITEBYTECODE VIRTUAL_ENV

.DEFAULT_GOAL := help
.PHONY: help setup demo test check format docs bench drill clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(SYNCED) ## install the locked dependencies into .venv

demo: $(SYNCED) ## eight weeks of an electricity market: batches, faults, retraining, a report page
	$(BIN)/evenkeel demo

test: $(SYNCED) ## the whole test suite, on two workers
	$(BIN)/pytest -n 2 --dist loadgroup

check: $(SYNCED) ## lint, formatting, types, import contracts, generated files
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	@for generator in $(GENERATORS); do $(BIN)/python "$$generator" --check || exit 1; done

format: $(SYNCED) ## let ruff put the code in order
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

docs: $(SYNCED) ## write the generated pages of docs/ again
	@for generator in $(GENERATORS); do $(BIN)/python "$$generator" || exit 1; done

bench: $(SYNCED) ## measure: each number a ratio against a bare script in the same run
	@test -n "$(BENCHES)" || { echo "bench/ holds no measurement yet" >&2; exit 2; }
	@for bench in $(BENCHES); do echo "== $$bench"; $(BIN)/python -m "$$bench" || exit 1; done

drill: $(SYNCED) ## inject every failure for real and see the promises kept (about five minutes)
	$(BIN)/evenkeel drill

clean: ## remove what make installed (state in var/ stays)
	rm -rf .venv .tools .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

# Written last, so an install that was interrupted is done again.
$(SYNCED): uv.lock pyproject.toml | $(UV)
	@echo "installing the locked dependencies (about a minute the first time)"
	@$(UV) sync --quiet --frozen --compile-bytecode --python-preference only-system
	@touch $@

$(LOCAL_UV):
	python3 -m venv .tools/uv-$(UV_VERSION)
	.tools/uv-$(UV_VERSION)/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
