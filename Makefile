# make run   builds Kubestage and runs it
# make test  runs every test, as CI does
# make check is the fast loop while writing code
# make help  lists the rest

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

GO   ?= go
ARGS ?=

# Kubernetes' own binaries are told their version by the linker. Ours holds the
# same code, so it says the same; everything comes from go.mod, so that
# the version stands in one place. The commit is not in a Go module: empty.
KUBE_MODULE  = $(shell awk '$$1 == "k8s.io/kubernetes" { print $$2 }' go.mod)
KUBE_MINOR   = $(word 2,$(subst ., ,$(KUBE_MODULE)))
KUBE_TIME    = $(shell $(GO) list -m -json k8s.io/kubernetes | sed -n 's/.*"Time": "\(.*\)".*/\1/p')
KUBE_VERSION = gitVersion=$(KUBE_MODULE) gitMajor=1 gitMinor=$(KUBE_MINOR) gitCommit= gitTreeState=archive buildDate=$(KUBE_TIME)
LDFLAGS      = -s -w $(foreach package,k8s.io/component-base/version k8s.io/client-go/pkg/version,$(foreach variable,$(KUBE_VERSION),-X $(package).$(variable)))

# Without the components of Kubernetes a build takes seconds instead of
# minutes, and everything but sandbox/kube can be checked that way.
LIGHT := -buildvcs=false -tags nosandbox
TOOL  := $(GO) tool -modfile=tools.mod

section = @printf '\n== %s\n' '$(1)'

.PHONY: help run build build-platforms clean check test bench screenshots generate \
	check-go check-web test-go test-web test-generated test-platforms test-postgres test-sandbox test-browser

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## Build, run, and print the address of the page; ARGS='--nodes 5' passes flags
	@exec bin/dashboard $(ARGS)

build: ## bin/dashboard
	$(call section,build (the first one compiles Kubernetes: about 5 minutes on 2 cores))
	CGO_ENABLED=0 $(GO) build -buildvcs=false -ldflags '$(LDFLAGS)' -o bin/dashboard ./cmd/dashboard

generate: node_modules/.installed ## Write web/dist and *_templ.go again
	$(TOOL) templ generate
	npm run --silent build

clean: ## Remove what was built; committed generated files stay
	rm -rf bin node_modules e2e/test-results e2e/report

check: check-go check-web test-go test-web ## Format, vet, lint, types and quick tests, without compiling Kubernetes

check-go:
	$(call section,gofmt, templ fmt)
	@unformatted=$$(git ls-files -co --exclude-standard '*.go' | xargs gofmt -l); test -z "$$unformatted" || { echo "gofmt -w these files:"; echo "$$unformatted"; exit 1; }
	$(TOOL) templ fmt -fail web
	$(call section,go vet, staticcheck)
	$(GO) vet $(LIGHT) ./...
	$(TOOL) staticcheck -tags nosandbox ./...

check-web: node_modules/.installed
	$(call section,types and lint of TypeScript and CSS)
	npm run --silent check
	npx tsc --noEmit -p e2e
	npx biome check --error-on-warnings e2e/*.ts e2e/stage/*.ts e2e/pages e2e/specs

test-go: | cc
	$(call section,Go tests with the race detector)
	CGO_ENABLED=1 $(GO) test $(LIGHT) -race ./...

test-web: node_modules/.installed
	$(call section,TypeScript tests)
	npm test --silent

test: check build test-generated test-platforms test-postgres test-sandbox test-browser ## Every test: check, build, generated files, other systems, PostgreSQL, real cluster, browser

test-generated: node_modules/.installed
	$(call section,generated files are what the sources generate)
	@sums() { find web -not -path '*/node_modules/*' \( -name '*_templ.go' -o -path 'web/dist/*' \) -type f -print0 | sort -z | xargs -0 sha256sum; }; \
	before=$$(sums); $(MAKE) --no-print-directory generate; \
	diff <(echo "$$before") <(sums) || { echo "run make generate and commit its result"; exit 1; }

test-platforms:
	$(call section,types for macOS and Windows with and without Kubernetes)
	$(GO) run $(LIGHT) ./e2e/platforms darwin windows -- ./...
	GOFLAGS=-tags=nosandbox $(GO) run -buildvcs=false ./e2e/platforms darwin windows -- ./...

build-platforms: ## Whole builds for macOS and Windows: 6 minutes of one core each the first time
	$(call section,builds for macOS and Windows)
	GOOS=darwin  CGO_ENABLED=0 $(GO) build -buildvcs=false ./sandbox/... ./cmd/...
	GOOS=windows CGO_ENABLED=0 $(GO) build -buildvcs=false ./sandbox/... ./cmd/...

# Tests that start a real cluster look for the binary here and are skipped
# without it. The binary itself is the one people run, built without -race.
# sandbox/kube is tested without -race, which would compile Kubernetes twice.
# Behaviours have deadlines and get the machine for themselves; the book and the
# sandbox's own tests wait more than they compute, and wait together.
test-sandbox: build | cc
	$(call section,Go tests of the room with Kubernetes in it)
	CGO_ENABLED=0 $(GO) vet -buildvcs=false ./sandbox/kube ./cmd/dashboard
	CGO_ENABLED=0 $(GO) test -buildvcs=false -vet=off ./sandbox/kube ./cmd/dashboard
	$(call section,Go tests against a real cluster)
	KUBESTAGE_BINARY=$(CURDIR)/bin/dashboard CGO_ENABLED=1 $(GO) test $(LIGHT) -race -count=1 -p 1 -timeout 20m -run Real $$($(GO) list $(LIGHT) ./... | grep -v -e /e2e/book -e /e2e/sandbox)
	KUBESTAGE_BINARY=$(CURDIR)/bin/dashboard CGO_ENABLED=1 $(GO) test $(LIGHT) -race -count=1 -p 2 -timeout 25m -run Real ./e2e/book ./e2e/sandbox

test-browser: build node_modules/.installed | chromium
	$(call section,browser tests)
	npx playwright test --config e2e

bench: build ## Start-up, latency, memory and drawing, measured on this machine beside the bare components
	$(GO) run $(LIGHT) ./e2e/bench $(ARGS)

screenshots: build node_modules/.installed | chromium ## Every view, theme, size and language as pictures in e2e/screenshots
	node e2e/screenshots.mjs $(ARGS)

# A browser is never downloaded: it is Debian's, with fonts that have Hangul.
node_modules/.installed: package-lock.json
	$(call section,npm ci)
	@command -v npm >/dev/null || { echo "Node.js 20 or newer is needed for this: see README.md"; exit 1; }
	PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --no-audit --no-fund
	@touch $@

.PHONY: cc chromium postgres
cc:
	@command -v "$${CC:-gcc}" >/dev/null || .ci/apt gcc libc6-dev

chromium:
	@command -v chromium >/dev/null || .ci/apt chromium fonts-noto-cjk

postgres:
	@command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || .ci/apt postgresql
