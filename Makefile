# make run: serve · make test: what a change must pass · make soak: for a night · make lint · make bench
# make audit: known vulnerabilities of pinned libraries · make pin [NEWER='name name']: their versions and hashes
# make setup: only prepare .venv · make doctor: is it well · make links: address and invitations · make backup TO=FOLDER
SHELL := /bin/bash
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
DEV_STAMP := $(VENV)/.ready-dev

.PHONY: run setup doctor links backup dev test soak lint format learn bench audit pin clean browser

# Steps are told in the operator's language, as the program does it: LANGUAGE (of .env, too), else the system's.
SAID := $(firstword $(LANGUAGE) $(shell sed -n 's/^LANGUAGE=//p' .env 2>/dev/null) $(LC_ALL) $(LC_MESSAGES) $(LANG))
say = $(if $(filter zh%,$(SAID)),$(1),$(2))
# What pip is doing, on one line of a terminal; elsewhere only how many libraries there are in the end.
SHOW := awk -v tty=$$([ -t 1 ] && echo 1) '/^(Collecting|Processing)/ { n++; if (tty) printf "\r\033[K  %d  %s", n, $$2 } \
	/^Installing collected/ { if (tty) printf "\r\033[K"; print "$(call say,  正在装 ,  installing )" n "$(call say, 个库……, libraries…)" } { fflush() }'

run: $(STAMP)
	@$(BIN)/python -m bot run --example examples/township

setup: $(STAMP)

doctor: $(STAMP)
	@$(BIN)/python -m bot doctor

links: $(STAMP)
	@$(BIN)/python -m bot links $(if $(NEW),--new)

backup: $(STAMP)
	@test -n "$(TO)" || { echo "$(call say,写备份到哪里：make backup TO=/mnt/usb,Say where to: make backup TO=/mnt/usb)"; exit 1; }
	@$(BIN)/python -m bot backup "$(TO)" $(if $(KEEP),--keep $(KEEP))

# Of each library only files whose hashes stand in constraints.txt are taken, whatever index they come from.
RUNS := $(VENV)/runs.txt
$(STAMP): constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "$(call say,要有 Python 3.11 或更新的：PYTHON=/路径/python make run,Python 3.11 or newer is needed: PYTHON=/path/to/python make run)"; exit 1; }
	@test -x $(BIN)/python || { echo "$(call say,1/2 建 $(VENV)……,1/2 making $(VENV)…)"; $(PYTHON) -m venv $(VENV); }
	@echo "$(call say,2/2 下载并装好 constraints.txt 里的库（第一次要一分钟左右）……,2/2 fetching and installing the libraries of constraints.txt (about a minute the first time)…)"
	@sed '/^# Only for development/,$$d' constraints.txt > $(RUNS)
	@set -o pipefail; began=$$SECONDS; $(BIN)/python -m pip install --disable-pip-version-check --progress-bar off --require-hashes -r $(RUNS) | $(SHOW) \
		&& echo "$(call say,  装好了，用了,  done in) $$((SECONDS - began)) $(call say,秒,s)"
	@touch $@

dev: $(DEV_STAMP)

$(DEV_STAMP): $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r constraints.txt
	touch $@

browser:
	@if command -v chromium >/dev/null && fc-list 2>/dev/null | grep -qi "noto.*cjk"; then :; \
	elif [ "$$(id -u)" = 0 ]; then apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-noto-cjk fontconfig >/dev/null; \
	else echo "chromium or a Chinese font is missing: the browser tests are skipped (apt-get install chromium fonts-noto-cjk)"; fi

test: dev browser
	$(BIN)/python -m pytest -n 2 --dist worksteal tests

SOAK_MINUTES ?= 120
soak: dev browser
	$(BIN)/python -m tests.soak --minutes $(SOAK_MINUTES)

lint: dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict bot handlers storage

format: dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# After a change to locales/*/sayings or to how words are read.
learn: dev
	$(BIN)/python -m bot.spoken.learning
	$(BIN)/python -m bot.console.phrasebook

bench: dev
	$(BIN)/python -m benchmarks

# Not in `make lint`: it asks an index, and what it answers changes without us.
AUDIT := $(VENV)/audit
audit: dev
	@test -x $(AUDIT)/bin/pip-audit || { $(BIN)/python -m venv $(AUDIT) && $(AUDIT)/bin/python -m pip install --quiet --disable-pip-version-check pip-audit==2.10.1; } \
		|| { echo "no index was reached to install pip-audit: nothing was audited"; exit 0; }
	@test ! -x $(AUDIT)/bin/pip-audit || $(BIN)/python -m tests.audit $(AUDIT)/bin/python

PIN := $(VENV)/pin
pin: dev
	@test -x $(PIN)/bin/uv || { $(BIN)/python -m venv $(PIN) && $(PIN)/bin/python -m pip install --quiet --disable-pip-version-check uv==0.13.9; }
	@$(BIN)/python -m tests.pinning $(PIN)/bin/uv $(NEWER)

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
