#!/usr/bin/env bash
# Fuzzes every target for as long as its argument says (2m by default). What it finds stays in the package's
# testdata/fuzz and fails plain tests from then on.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
for_=${1:-2m}
log=$(mktemp)
trap 'rm -f "$log"' EXIT

export CGO_ENABLED=0
git ls-files -z '*_test.go' | { xargs -0 grep -lE '^func Fuzz' || true; } | xargs -rn1 dirname | sort -u | while read -r dir; do
	for target in $(go test -tags "$TAGS" -list '^Fuzz' "./$dir" | grep '^Fuzz'); do
		printf '%s %s\n' "$dir" "$target"
		if go test -tags "$TAGS" -run '^$' -fuzz "^$target\$" -fuzztime "$for_" "./$dir" </dev/null >"$log" 2>&1; then
			grep -E 'execs: [0-9]+ \(.*new' "$log" | tail -n 1 || true
		elif grep -q 'context deadline exceeded' "$log" && ! grep -qE 'Failing input|panic' "$log"; then
			echo "  its time ended in the middle of an input (Go issue 48591), nothing was found"
		else
			tail -n 30 "$log"
			exit 1
		fi
	done
done
