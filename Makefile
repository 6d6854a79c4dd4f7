# Everything that one does with this repository. `make` alone tells what there is.
# It needs Go and a POSIX shell; the tests look for the rest themselves (see parts).

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

BUILD := $(CURDIR)/.build
BIN := $(BUILD)/bin
SECRETS ?= secrets
FUZZTIME ?= 30s
BENCHTIME ?= 1s
SCHEDULES ?= 5000000
WALKS ?= 100000
ROUNDS ?= 1000
KILLS ?= 50
RESTARTS ?= 20
SUM := $(BIN)/gotestsum --format pkgname --hide-summary=skipped

# The race detector watches the memory that Go gave out. SQLite, which was translated from C, has its own beside that: to watch the
# code that works there finds nothing and takes most of the time. The driver in Go above it is watched, and `make race` watches all.
RACE := -race -gcflags=modernc.org/sqlite/lib=-race=false -gcflags=modernc.org/libc/...=-race=false -gcflags=modernc.org/memory=-race=false

# These play the rotation rule, a pure function, a few million times, each in one goroutine: the detector has nothing to watch there.
MODEL := ^(TestTheRuleHoldsItsInvariants|TestTheModelMissesEachRepair|TestPresentEqualsTheReference)$$

# A program with the race detector sleeps before it ends, by default for a second.
export GORACE ?= atexit_sleep_ms=10

.PHONY: help
help: ## say what there is
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: test
test: ## everything that CI runs: lint, unit, e2e (about twenty-five minutes on two cores)
	@rm -f $(BUILD)/*.json
	@$(MAKE) --no-print-directory parts
	@failed=0; $(MAKE) --no-print-directory --keep-going lint unit e2e || failed=1; \
	$(MAKE) --no-print-directory missing || failed=1; exit $$failed

.PHONY: unit
unit: $(BIN)/gotestsum ## the tests of the product, storage contract on both engines, with the race detector
	@failed=0; \
	$(SUM) --jsonfile $(BUILD)/unit.json -- $(RACE) -count=1 -timeout 20m -skip '$(MODEL)' ./... || failed=1; \
	$(SUM) --jsonfile $(BUILD)/model.json -- -count=1 -timeout 20m -run '$(MODEL)' ./storage || failed=1; exit $$failed

# At least four at a time, however few the cores: these wait for time-outs, browsers and other processes more than they work.
AT_ONCE = $$(n=$$(getconf _NPROCESSORS_ONLN); echo $$((n > 4 ? n : 4)))

.PHONY: e2e
e2e: $(BIN)/gotestsum ## the real program, driven by real clients on both engines
	cd e2e && $(SUM) --jsonfile $(BUILD)/e2e.json -- $(RACE) -count=1 -parallel $(AT_ONCE) -timeout 20m ./...

.PHONY: lint
lint: $(BIN)/staticcheck $(BIN)/gofumpt ## go vet, staticcheck, gofumpt
	go vet ./...
	cd e2e && go vet ./...
	$(BIN)/staticcheck ./...
	cd e2e && $(BIN)/staticcheck ./...
	@unformatted=$$(git ls-files -co --exclude-standard '*.go' | xargs $(BIN)/gofumpt -l); \
	if [ -n "$$unformatted" ]; then echo "not in gofumpt's format (gofumpt -w mends it):"; echo "$$unformatted"; exit 1; fi

.PHONY: race
race: ## whatever may happen only once, a thousand times on each engine (ROUNDS=1000)
	go test -race -count=1 -timeout 4h -run 'Crowd|Final|OldPassword' -v ./web -rounds=$(ROUNDS)
	go test -race -count=5 -timeout 2h -run 'Promise/Race' ./storage/sqlite ./storage/postgres

.PHONY: kill
kill: $(BIN)/gotestsum ## end the server with kill -9 fifty times on each engine (KILLS=50)
	cd e2e && $(BIN)/gotestsum --format standard-verbose -- -race -count=1 -timeout 60m -run '^TestKill$$' -kills=$(KILLS) .

.PHONY: faults
faults: ## what clients see while everything breaks, five times over, PostgreSQL restarted twenty times in each (RESTARTS=20)
	cd e2e && go test -race -count=5 -timeout 60m -run '^TestFault' . -restarts=$(RESTARTS)
	go test -race -count=5 -timeout 30m -run 'TestAStepOfTheClock|TestNodesWhoseClocksDiffer|GoesAway|Restarts|Locks|Locked' ./web

.PHONY: fuzz
fuzz: ## every fuzz target for a while (FUZZTIME=30s)
	@go list ./... | while read -r package; do \
		go test -list '^Fuzz' "$$package" | { grep '^Fuzz' || true; } | while read -r target; do \
			echo "$$package $$target"; \
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "$$package" </dev/null; \
		done; \
	done

.PHONY: soak
soak: ## millions of schedules against the rotation rule, then thousands over HTTP; then random walks through the pages and a flood of 100,000 registrations (SCHEDULES=5000000 WALKS=100000)
	go test -count=1 -timeout 8h ./storage -schedules=$(SCHEDULES)
	go test -count=1 -timeout 8h -run Schedules ./web -schedules=$$(( $(SCHEDULES) / 1000 ))
	go test -count=1 -timeout 8h -run RandomWalk ./web -walks=$(WALKS)
	go test -count=1 -timeout 8h -run AFloodOfRegistrations ./web -newcomers=50000

.PHONY: bench
bench: ## benchmarks of the rooms, then an idle server's memory and the time to its first answer (BENCHTIME=1s)
	go test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) ./...
	cd e2e && go test -run '^$$' -bench . -benchtime 5x .

.PHONY: build
build: ## the program, static, in .build/bin/signet
	CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o $(BIN)/signet ./cmd/signet

.PHONY: dev
dev: ## a Signet to play with, on http://localhost:8080
	go run ./cmd/signet dev

.PHONY: secrets
secrets: ## the secrets that docker-compose.yml mounts, made once in ./secrets
	@.ci/secrets '$(SECRETS)'

.PHONY: clean
clean: ## remove what was built and installed here
	rm -rf $(BUILD) e2e/node/node_modules signet

# What the tests need beside Go: what is not here is installed where that may be done without asking.
.PHONY: parts
parts:
	@.ci/parts

# Names what the tests could not run for want of a part; where everything must be there (CI=true) that is a failure.
.PHONY: missing
missing:
	@found=$$(cat $(BUILD)/*.json 2>/dev/null | grep -o 'SIGNET-MISSING: [^"\\]*' | sort -u || true); \
	if [ -z "$$found" ]; then echo "every part was there, nothing was left out"; exit 0; fi; \
	echo "these were not run:"; echo "$$found"; \
	if [ "$${CI:-}" = true ]; then exit 1; fi

# The tools are pinned by a module of their own. Nobody installs them by hand, and users of the product never see them.
$(BIN)/staticcheck $(BIN)/gofumpt $(BIN)/gotestsum: e2e/tools/go.mod e2e/tools/go.sum
	@mkdir -p $(BIN)
	@echo "building the tools of e2e/tools"
	@go build -C e2e/tools -o $(BIN)/ honnef.co/go/tools/cmd/staticcheck mvdan.cc/gofumpt gotest.tools/gotestsum
	@touch $(BIN)/staticcheck $(BIN)/gofumpt $(BIN)/gotestsum
