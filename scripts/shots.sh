#!/usr/bin/env bash
# Drives the real window on a virtual screen, in Chinese and in English, and leaves pictures of it in shots/.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

scripts/install.sh test
step "hongyanctl" build_ctl
step "the window (the first time it takes some minutes)" build_window
step "the window, driven" window_test
