#!/usr/bin/env bash
# Kills processes while they send (500 of them, or as many as the argument says), fails the power between the journal's
# commits, and looks at the order of system calls: nobody may be lost, and nobody mailed twice.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
command -v strace >/dev/null || scripts/install.sh test
kills=${1:-500}
verbose=()
[ "$kills" -lt 100 ] || verbose=(-v)
CGO_ENABLED=0 go test -count=1 -timeout 120m "${verbose[@]}" ./e2e/crash -kills "$kills"
