#!/usr/bin/env bash
# Runs everything that must pass. A failing step ends it.
set -euo pipefail
cd "$(dirname "$0")/.."

section() { printf '\n== %s\n' "$*"; }

section "formatting"
bad=$(gofmt -l $(git ls-files '*.go'))
[ -z "$bad" ] || { echo "not gofmt-ed: $bad"; exit 1; }

section "go vet, without cgo"
CGO_ENABLED=0 go vet -tags migrated_fynedo ./...

section "tests, without cgo"
CGO_ENABLED=0 go test -tags migrated_fynedo -shuffle=on ./...

section "tests under the race detector"
go test -race -shuffle=on $(go list ./app/... ./assets/... ./smtpx/...)
