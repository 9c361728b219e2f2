# Thin: the same commands here, on your machine and in .ci/run.
#   make run      the assistant with a sample community, in .venv, on SQLite
#   make test     everything that .ci/run runs       make check   the fast part of it, without pytest
#   make bench    the benchmarks                     make lock    write the lock files anew

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := run
.PHONY: run install install-dev test check pytest bench lock screenshot

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate --no-header -p 3.11

run: install
	exec $(BIN)/linli run --demo

# ---- installing: a stamp a lock file, so that the second time takes no time

install: $(VENV)/run.stamp
install-dev: $(VENV)/dev.stamp

$(BIN)/python:
	@for python in $(PYTHON) python3.12 python3.11 python3.13 python3; do \
	    "$$python" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
	    echo "用 $$("$$python" -V) 建 $(VENV)"; exec "$$python" -m venv --clear $(VENV); \
	done; \
	echo "需要 Python 3.11 或更新的版本，带 venv（Debian、Ubuntu：apt install python3 python3-venv）。" >&2; exit 1

$(VENV)/run.stamp: requirements.lock pyproject.toml | $(BIN)/python
	@echo "安装依赖（第一次要一两分钟）"
	@$(PIP) install --quiet --no-deps --require-hashes -r requirements.lock
	@$(PIP) install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/dev.stamp: requirements-dev.lock pyproject.toml | $(BIN)/python
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info >= (3, 13))' || { \
	    echo "测试自带的 PostgreSQL 还没有 Python 3.13 的安装包：请用 3.11 或 3.12，如 make test PYTHON=python3.12（先删掉 $(VENV)）。" >&2; exit 1; }
	@echo "安装依赖和测试工具（第一次要一两分钟）"
	@$(PIP) install --quiet --no-deps --require-hashes -r requirements-dev.lock
	@$(PIP) install --quiet --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/run.stamp

# ---- checking: one step after another, and the first that fails says its name
# `linli check` runs in tests/ and so without your .env and your data/.

step = @echo "── $(1)"; $(2) || { echo "✗ 没通过：$(1)" >&2; exit 1; }

test: check pytest
	@echo "✓ 全部通过"

check: install-dev
	$(call step,ruff format,$(BIN)/ruff format --quiet --check .)
	$(call step,ruff check,$(BIN)/ruff check --quiet .)
	$(call step,mypy --strict,$(BIN)/mypy)
	$(call step,lint-imports,$(BIN)/lint-imports)
	$(call step,linli check,cd tests && ../$(BIN)/linli check)

pytest: install-dev
	$(call step,tests/install_system.sh,tests/install_system.sh)
	$(call step,pytest on SQLite,$(BIN)/pytest -n 3 --dist loadfile --cov --cov-branch --database sqlite)
	$(call step,pytest on PostgreSQL,$(BIN)/pytest -n 3 --dist loadfile --database postgres)

bench: install-dev
	@$(BIN)/python -m tests.bench

screenshot: install-dev
	@LINLI_SCREENSHOT=docs/screenshot.png $(BIN)/pytest tests/test_browser.py -k screenshot

# setuptools builds the project itself: `install` does it without asking the network again.
lock: install-dev
	echo 'setuptools>=80' | $(COMPILE) pyproject.toml - -o requirements.lock
	echo 'setuptools>=80' | $(COMPILE) --extra dev -c requirements.lock pyproject.toml - -o requirements-dev.lock
