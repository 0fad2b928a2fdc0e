#!/usr/bin/env bash
# Installs what is missing, builds, and opens the window with its practice server. Without a display it sends the
# sample campaign to a practice server in the terminal. HONGYAN_DATA names a data folder other than the usual one.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

scripts/install.sh run
step "hongyanctl" build_ctl

if [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
	step "the window (the first time it takes some minutes)" build_window
	if [ -n "${HONGYAN_DATA:-}" ]; then
		exec bin/hongyan --practice --data "$HONGYAN_DATA"
	fi
	exec bin/hongyan --practice
fi

cat <<'TEXT'

There is no display (neither DISPLAY nor WAYLAND_DISPLAY is set), so no window can open.
The sample campaign is sent to a practice server instead; nothing leaves this machine.
这里没有显示器，窗口打不开；改为把示例群发到本机的练习服务器，不会有信离开这台机器。
TEXT

data=${HONGYAN_DATA:-$(mktemp -d "${TMPDIR:-/tmp}/hongyan-practice-XXXXXX")}
mkdir -p "$data"
server=
log=$data/practice.log
stop() {
	if [ -n "$server" ]; then
		kill "$server" 2>/dev/null || true
		wait "$server" 2>/dev/null || true
	fi
}
trap stop EXIT
trap 'exit 130' INT TERM

ctl() { bin/hongyanctl "$@" --data "$data"; }

: >"$log" # here already when it is looked into
bin/hongyanctl practice --data "$data" --addr 127.0.0.1:0 --json >"$log" &
server=$!
addr=
for _ in $(seq 100); do
	addr=$(sed -n 's/.*"addr":"\([^"]*\)".*/\1/p' "$log")
	[ -z "$addr" ] || break
	kill -0 "$server" 2>/dev/null || { echo "The practice server did not start; see $log" >&2; exit 1; }
	sleep 0.1
done
[ -n "$addr" ] || { echo "The practice server did not say where it listens; see $log" >&2; exit 1; }
letters=$data/practice

name="practice $(date '+%Y-%m-%d %H:%M:%S')"
printf '\n== account, list, letter\n'
if [ -e "$data/app.db" ] && ctl account list --json | grep -q '"name":"practice"'; then
	ctl account remove practice >/dev/null # its port was another one
fi
ctl account add --name practice --from practice@example.org --host "${addr%:*}" --port "${addr##*:}" --tls starttls --no-auth --ca "$letters/certificate.pem"
ctl import assets/samples/customers-gbk.csv --list "$name" --source "sample" --consent "made-up people"
printf '\n== sending\n'
code=0
ctl send --name "$name" --list "$name" --letter assets/samples/letter.md --account practice --quiet || code=$?

printf '\n== done\n'
ctl campaign status "$name" --json
printf 'The letters lie in %s (%s files, one a recipient; open one with any mail program).\n' "$letters" "$(find "$letters" -name '*.eml' | wc -l)"
printf 'Look closer: bin/hongyanctl report "%s" --to report.html --data %s\n' "$name" "$data"
exit "$code"
