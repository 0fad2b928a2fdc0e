#!/usr/bin/env bash
# golangci-lint of one version, built once into bin/tools, with the rules of .golangci.yml.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
version=v2.15.0

stamp=bin/tools/golangci-lint-$version-$(go env GOVERSION)
if [ ! -e "$stamp" ]; then
	echo "building golangci-lint $version (about a minute, once)"
	rm -f bin/tools/golangci-lint*
	GOBIN=$PWD/bin/tools GOFLAGS= go install "github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$version"
	touch "$stamp"
fi
mapfile -t dirs < <(packages | sed 's|^hongyan|.|')
CGO_ENABLED=0 bin/tools/golangci-lint run --build-tags "$TAGS" "${dirs[@]}"
