#!/usr/bin/env bash
# Builds the window and hongyanctl into bin/.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

scripts/install.sh run
step "hongyanctl" build_ctl
step "the window (the first time it takes some minutes)" build_window
