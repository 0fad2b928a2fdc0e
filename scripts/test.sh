#!/usr/bin/env bash
# Runs everything that must pass, cheapest first. The first step that fails ends it.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

formatting() {
	local bad
	bad=$(git ls-files -z '*.go' | xargs -0 gofmt -l)
	[ -z "$bad" ] || { printf 'not gofmt-ed (make fmt does it):\n%s\n' "$bad"; return 1; }
}
scripts_parse() { local f; for f in scripts/*.sh .ci/run; do bash -n "$f"; done; }
vet() { packages | CGO_ENABLED=0 xargs go vet -tags "$TAGS"; }
unit() { packages | grep -v '^hongyan/e2e/' | CGO_ENABLED=0 xargs go test -tags "$TAGS" -shuffle=on; }
race() { packages | grep -v '^hongyan/e2e/' | CGO_ENABLED=1 xargs go test -tags "$TAGS" -race -shuffle=on; }

step "packages of the system" scripts/install.sh test
step "formatting" formatting
step "shell scripts" scripts_parse
step "go vet, without cgo" vet
step "layers" env CGO_ENABLED=0 go test ./e2e/layers
step "tests, without cgo" unit
step "processes killed while they send, and power that fails" scripts/crash.sh 50
step "every fault at every step" scripts/faults.sh
step "hongyanctl" build_ctl
step "campaigns to the practice server, by hongyanctl" practice_test
step "campaigns whose disk fails" disk_test
step "campaigns through Postfix and Dovecot" postfix_test
step "the window (the first time it takes some minutes)" build_window
step "the window, driven on a virtual screen" window_test
step "tests under the race detector" race
step "a few seconds of fuzzing a target" scripts/fuzz.sh 3s
printf '\nAll passed in %d s.\n' "$SECONDS"
