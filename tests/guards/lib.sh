# shellcheck shell=sh
# lib.sh - what the guards share: they report like TAP, one line a test
#
# A guard is run at the top of the source tree with PUSHLET_BUILD set, and
# sources this file first.

PUSHLET_BUILD=${PUSHLET_BUILD:-$PWD/build}
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM

ok() {
	echo "ok - $*"
}

not_ok() {
	echo "not ok - $*"
}

# verdict NAME PROBLEMS: ok if there are none, else they are listed.
verdict() {
	if test -z "$2"; then
		ok "$1"
	else
		not_ok "$1"
		echo "$2" | sed 's/^/# /'
	fi
}

# need NAME FILES: a guard that looks at nothing has not succeeded.
need() {
	test -n "$2" && return 0
	not_ok "$1: nothing to look at"
	return 1
}

c_files() {
	find src include tests \( -name node_modules -prune \) -o \
		-type f \( -name '*.c' -o -name '*.h' \) -print | sort
}
