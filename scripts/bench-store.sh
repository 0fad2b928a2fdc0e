#!/usr/bin/env bash
# Measures imports and long lists beside the sqlite3 command line and excelize, and writes the table into
# docs/performance.md. Takes some minutes and 2 GB of the folder for temporary files. Arguments go to the benchmark,
# such as -people 100000 -rounds 1; its figures are then shown, not kept.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

command -v sqlite3 >/dev/null || {
	echo 'sqlite3 is missing; it comes with the package of that name (apt install sqlite3)' >&2
	exit 1
}
CGO_ENABLED=0 go build -trimpath -o bin/bench-store ./bench/store
out=(-o docs/performance.md)
[ $# -eq 0 ] || out=()
bin/bench-store "${out[@]}" "$@"
