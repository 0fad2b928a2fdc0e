#!/usr/bin/env bash
# Measures smtpx beside other clients, over loopback and over a long line, and writes the table into
# docs/performance.md. Takes about a quarter of an hour. Arguments go to the benchmark, such as -only 40 -rounds 3.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

for p in smtp-sink smtp-source; do
	PATH=$PATH:/usr/sbin:/usr/local/sbin command -v "$p" >/dev/null || {
		printf '%s is missing; it comes with Postfix:\n' "$p"
		scripts/install.sh test
		break
	}
done

# The benchmark is a module of its own: what smtpx is compared with is no dependency of the product. Its go.mod follows
# when the product's libraries move (-mod=mod).
(cd bench/smtp && CGO_ENABLED=0 go build -mod=mod -trimpath -o ../../bin/bench-smtp .)
out=(-o docs/performance.md)
[ $# -eq 0 ] || out=() # a part of the rows is shown, not kept
bin/bench-smtp "${out[@]}" "$@"
