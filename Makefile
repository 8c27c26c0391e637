# make demo    set everything up, run cameras, fusion and a recorder, write a report   (RGB= THERMAL= | BAG=)
# make test    set everything up, lint, run the tests                                  (ARGS= goes to pytest)
# make setup   only set up .venv                                                       (PYTHON= to choose one)
# make msgs    compile the messages again after a change in msg/
# make lint    formatting, linter, types          make format   put the formatting right
# make clean   remove what was built              make distclean   remove .venv as well

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
# Relative on purpose: make cannot handle spaces in paths, and the checkout may lie in a folder that has one.
VENV := .venv
VENV_PYTHON := $(VENV)/bin/python

RGB ?=
THERMAL ?=
BAG ?=
PYTHON ?=
ARGS ?=
export PYTHON

.PHONY: help setup msgs demo test lint format clean distclean

help:
	@sed -n 's/^# //p' Makefile

setup:
	@python=$$(scripts/setup/find_python.sh) && \
	env -u _ROS_WHEELS_BOOTSTRAP_COMPLETE -u PYTHONPATH -u PYTHONHOME "$$python" scripts/setup/setup_venv.py

msgs:
	@python=$$(scripts/setup/find_python.sh) && \
	env -u _ROS_WHEELS_BOOTSTRAP_COMPLETE -u PYTHONPATH -u PYTHONHOME \
	    "$$python" scripts/setup/setup_venv.py --messages-again

demo: setup
	@env -u _ROS_WHEELS_BOOTSTRAP_COMPLETE -u PYTHONPATH $(VENV_PYTHON) -m textdifuse_ros.demo \
	    $(if $(RGB),--rgb "$(RGB)") $(if $(THERMAL),--thermal "$(THERMAL)") $(if $(BAG),--bag "$(BAG)") $(ARGS)

test: lint
	@env -u _ROS_WHEELS_BOOTSTRAP_COMPLETE -u PYTHONPATH $(VENV_PYTHON) -m pytest test $(ARGS)

lint: setup
	@$(VENV_PYTHON) -m ruff format --check .
	@$(VENV_PYTHON) -m ruff check .
	@$(VENV_PYTHON) -m mypy

format: setup
	@$(VENV_PYTHON) -m ruff format .
	@$(VENV_PYTHON) -m ruff check --fix .

clean:
	@rm -rf build install log dist out *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find . -path ./$(VENV) -prune -o -name __pycache__ -type d -print0 | xargs -0 rm -rf

distclean: clean
	@rm -rf $(VENV)
