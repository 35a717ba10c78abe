#!/usr/bin/env bash
# Runs every check of the project, on any Debian machine with Go: it installs what the tests need and is
# missing, and starts nothing that it does not stop. CI runs this and nothing else.
set -euo pipefail
cd "$(dirname "$0")/.."

modules=(. example generated_test bench)
staticcheck=honnef.co/go/tools/cmd/staticcheck@v0.8.2
lowest_gorm=v1.25.12 # what the root's go.mod asks for

step() { printf '\n== %s\n' "$*"; }

step "What the tests need: memcached, PostgreSQL, MariaDB, Chromium"
missing=()
# need PACKAGE PROGRAM...: the package is installed unless one of the programs is there.
need() {
	local package=$1 program
	shift
	for program in "$@"; do
		if command -v "$program" >/dev/null; then return; fi
	done
	missing+=("$package")
}
need memcached memcached
need postgresql postgres /usr/lib/postgresql/*/bin/postgres
need mariadb-server mariadbd /usr/sbin/mariadbd
need chromium chromium
need chromium-driver chromedriver
if [ ${#missing[@]} -gt 0 ]; then
	as_root=""
	[ "$(id -u)" = 0 ] || as_root=sudo
	$as_root apt-get update -qq
	# RUNLEVEL keeps the packages from starting servers: the tests start their own.
	$as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi
memcached -V
go version
export CI=${CI:-true} # a missing server fails a test instead of skipping it

step "gofmt"
unformatted=$(gofmt -l .)
if [ -n "$unformatted" ]; then
	printf 'run gofmt -w on:\n%s\n' "$unformatted"
	exit 1
fi

step "Generated code is current"
for m in example generated_test bench; do
	(cd "$m" && go tool cachegen diff ./...)
done

for m in "${modules[@]}"; do
	step "vet, staticcheck: $m"
	(cd "$m" && go vet ./... && go run "$staticcheck" ./...)
done

for m in "${modules[@]}"; do
	step "Builds by itself, outside the workspace: $m"
	(cd "$m" && GOWORK=off go build ./... && GOWORK=off go vet ./...)
done

for m in "${modules[@]}"; do
	step "go test -race: $m"
	(cd "$m" && go test -race -timeout 15m ./...)
done

step "go test -race: the root outside the workspace, with the lowest gorm, where it is used"
GOWORK=off go test -race ./cmd/... ./runtime/... ./templates/...

step "go test: generated_test with the lowest gorm, $lowest_gorm"
lowest=$(mktemp -d)
trap 'rm -rf "$lowest"' EXIT
cp generated_test/go.mod "$lowest/lowest.mod"
cp generated_test/go.sum "$lowest/lowest.sum"
(
	cd generated_test
	export GOWORK=off
	go mod edit -replace "github.com/cachegen/cachegen=$(dirname "$PWD")" "$lowest/lowest.mod"
	go get -modfile="$lowest/lowest.mod" "gorm.io/gorm@$lowest_gorm"
	# Without those of several processes and of collations, which are the same with any gorm.
	go list -modfile="$lowest/lowest.mod" ./... | grep -vE '/(equality|histories|modes|releases)$' |
		xargs go test -tags lowestgorm -modfile="$lowest/lowest.mod"
)

step "The tour"
go run ./example/croupon
