# Shared by the scripts; sourced, not run. It puts the caller into the project's folder.
# shellcheck shell=bash
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

# x11: Chinese input does not work on native Wayland. migrated_fynedo: every call of ours goes through fyne.Do already.
TAGS=x11,migrated_fynedo
VERSION=$(git describe --tags --always --dirty 2>/dev/null || echo dev)

current=
# step NAME COMMAND...: runs a command under a heading and says how long it took.
step() {
	current=$1
	shift
	printf '\n== %s\n' "$current"
	local since=$SECONDS
	"$@"
	printf -- '-- %s: %d s\n' "$current" $((SECONDS - since))
	current=
}
trap '[ -z "$current" ] || printf "\n** failed: %s\n" "$current" >&2' EXIT

# packages: every package but the window's main, which needs cgo and GL (and so -e: without cgo it cannot be listed).
packages() { CGO_ENABLED=0 go list -e -tags "$TAGS" ./... | grep -vx hongyan; }

build_ctl() {
	CGO_ENABLED=0 go build -ldflags "-s -w -X main.version=$VERSION" -o bin/hongyanctl ./cmd/hongyanctl
}

build_window() {
	CGO_ENABLED=1 go build -tags "$TAGS" -ldflags "-s -w -X main.version=$VERSION" -o bin/hongyan .
}

# Tests that use what was built. Most of their time they wait, so several run at once.
practice_test() { HONGYANCTL=$PWD/bin/hongyanctl CGO_ENABLED=0 go test -count=1 -parallel 8 -timeout 10m ./e2e/practice; }

disk_test() { HONGYANCTL=$PWD/bin/hongyanctl CGO_ENABLED=0 go test -count=1 -parallel 8 -timeout 10m ./e2e/disk "$@"; }

window_test() { HONGYAN=$PWD/bin/hongyan CGO_ENABLED=0 go test -count=1 -timeout 10m ./e2e/window; }

# Postfix starts as root only: who is not root lets sudo run the tests, which were compiled without it.
postfix_test() {
	local as_root=()
	[ "$(id -u)" -eq 0 ] || as_root=(-exec "sudo env HONGYANCTL=$PWD/bin/hongyanctl")
	HONGYANCTL=$PWD/bin/hongyanctl CGO_ENABLED=0 go test -count=1 -timeout 10m "${as_root[@]}" ./e2e/mailserver ./e2e/postfix
}
