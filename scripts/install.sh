#!/usr/bin/env bash
# Installs what is missing on Debian and Ubuntu: "run" is what the window needs, "test" also what the tests need.
# Fast when all is there. No service that it installs is started or enabled.
set -euo pipefail
cd "$(dirname "$0")/.."

run=(gcc libgl1-mesa-dev libegl1-mesa-dev xorg-dev libxkbcommon-dev fonts-noto-cjk)
test=(xvfb xauth xdotool xclip imagemagick postfix dovecot-core dovecot-imapd strace sqlite3)

die() { printf '%s\n' "$*" >&2; exit 1; }

case "${1:-}" in
run) want=("${run[@]}") ;;
test) want=("${run[@]}" "${test[@]}") ;;
*) die "usage: scripts/install.sh run|test" ;;
esac

# Go 1.21 and newer fetch the version that go.mod names by themselves; what counts is what go says here.
need=$(awk '$1 == "go" { print $2; exit }' go.mod)
go=$(command -v go || true)
[ -n "$go" ] || die "Go is not installed: get Go $need or newer from https://go.dev/dl/, put its bin folder into PATH, and try again."
have=$(go env GOVERSION 2>/dev/null || true)
have=${have#go}
have=${have%% *}
if [ -z "$have" ] || [ "$(printf '%s\n%s\n' "$need" "$have" | sort -V | head -n 1)" != "$need" ]; then
	die "Go $need or newer is needed, and $go is ${have:-too old}: get it from https://go.dev/dl/ and put it first in PATH."
fi

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
	printf 'This is neither Debian nor Ubuntu: where something is missing, install the like of: %s\n' "${want[*]}" >&2
	exit 0
fi

missing=()
there=" $(dpkg-query -W -f '${db:Status-Abbrev}${Package} ' "${want[@]}" 2>/dev/null || true)"
for p in "${want[@]}"; do
	[[ "$there" == *" ii $p "* ]] || missing+=("$p")
done
[ ${#missing[@]} -gt 0 ] || exit 0

printf 'Installing: %s\n' "${missing[*]}"
root=() # how to become root
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null || die "These packages are missing; install them as root and try again: apt-get install ${missing[*]}"
	root=(sudo)
fi

# The mail servers are tested from a temporary folder. Their packages start and enable a service for the whole machine,
# which nobody asked for: invoke-rc.d is told not to, and what they enable is disabled again.
services=()
for p in "${missing[@]}"; do
	case "$p" in
	postfix) services+=(postfix.service) ;;
	dovecot-core) services+=(dovecot.socket dovecot.service) ;;
	esac
done
policy=/usr/sbin/policy-rc.d
ours=
log=$(mktemp)
cleanup() {
	rm -f "$log"
	[ -z "$ours" ] || "${root[@]}" rm -f "$policy"
}
trap cleanup EXIT
if [ ${#services[@]} -gt 0 ]; then
	if [ ! -e "$policy" ]; then
		ours=yes
		printf '#!/bin/sh\nexit 101\n' | "${root[@]}" tee "$policy" >/dev/null
		"${root[@]}" chmod 755 "$policy"
	fi
	echo 'postfix postfix/main_mailer_type select No configuration' | "${root[@]}" debconf-set-selections || true
fi

apt=("${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0)
"${apt[@]}" update || echo "The lists of packages could not all be refreshed; trying with what there is." >&2
if ! "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >"$log" 2>&1; then
	tail -n 20 "$log" >&2
	die "apt-get could not install: ${missing[*]} (its last words stand above)."
fi

for s in "${services[@]}"; do
	if [ -d /run/systemd/system ]; then
		"${root[@]}" systemctl disable --now "$s" >/dev/null 2>&1 || true
	elif command -v systemctl >/dev/null; then
		"${root[@]}" systemctl disable "$s" >/dev/null 2>&1 || true
	fi
	[ -n "$ours" ] || [ -d /run/systemd/system ] || ! command -v service >/dev/null ||
		"${root[@]}" service "${s%.*}" stop >/dev/null 2>&1 || true
done
