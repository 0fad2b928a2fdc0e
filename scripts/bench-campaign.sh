#!/usr/bin/env bash
# Measures whole campaigns beside the bare engine, and hongyanctl's memory up to a million recipients, and writes its tables
# into docs/performance.md. Takes about a quarter of an hour. Arguments go to the benchmark, such as -rounds 2 -people "".
set -euo pipefail
source "$(dirname "$0")/lib.sh"

[ -x /usr/sbin/smtp-sink ] || scripts/install.sh test
build_ctl
CGO_ENABLED=0 go build -o bin/bench-campaign ./bench/campaign
out=(-o docs/performance.md)
[ $# -eq 0 ] || out=() # a part is shown, not kept
bin/bench-campaign "${out[@]}" "$@"
