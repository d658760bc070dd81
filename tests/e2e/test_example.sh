#!/bin/sh
# test_example.sh BINARY SOURCE_DIR - examples/txt2img.c draws a picture and reports a mistake.
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0
check() {
    name=$1
    shift
    if "$@" >/dev/null 2>&1; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAIL $name"; fi
}
check "draws" "$1" "$2/tests/data/models/repo" "a cat" "$work/cat.png"
check "the picture is there" test -s "$work/cat.png"
check "does not replace a file" sh -c "! '$1' '$2/tests/data/models/repo' 'a cat' '$work/cat.png'"
check "reports a missing model" sh -c "'$1' nobody/nothing cat '$work/x.png' 2>&1 | grep -q nobody/nothing"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
