#!/usr/bin/env bash
# Plays every fault at every step of a conversation and compares what becomes of recipient, account and campaign with the
# table in docs/reliability.md. With -update the table is written anew.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
CGO_ENABLED=0 go test -count=1 -timeout 10m ./e2e/faults "$@"
