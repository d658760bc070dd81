#!/bin/bash
# test_tables.sh BINARY - lists fit the terminal and lose no letter; in pipes a row is a line. Prints
# "N passed, N failed".
set -u
bin=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0
unset COLUMNS
export HOME=$work XDG_CONFIG_HOME=$work HF_HUB_CACHE=$work
cd "$work" || exit 1
check() { # NAME COMMAND...
    local name=$1
    shift
    if "$@" >/dev/null 2>&1; then passed=$((passed + 1))
    else failed=$((failed + 1)) && echo "FAIL $name"; fi
}
widest() { LC_ALL=C.UTF-8 wc -L <"$1"; }
letters() { tr -d ' \n' | fold -w1 | LC_ALL=C sort | tr -d '\n'; }
for list in models presets profiles; do
    "$bin" $list list >pipe
    for columns in 60 80 100 200; do
        COLUMNS=$columns "$bin" $list list >narrow
        check "$list, $columns columns: it fits" test "$(widest narrow)" -le "$columns"
        # The list of models leaves columns out instead.
        [ $list = models ] || check "$list, $columns columns: no letter is lost" test "$(letters <narrow)" = "$(letters <pipe)"
        check "$list, $columns columns: no blanks at ends" sh -c "! grep -q ' \$' narrow"
    done
done
"$bin" models list >pipe
check "in a pipe a model is a line" test "$(grep -c 'stabilityai/stable-diffusion-xl-base-1.0 ' pipe)" -eq 1
check "a narrow list of models has names and states in a line" sh -c "COLUMNS=80 '$bin' models list | grep -q '^SDXL Base 1.0 .*not cached'"
check "a wide one repositories, too" sh -c "COLUMNS=200 '$bin' models list | grep -q 'stabilityai/sdxl-turbo'"
check "and names are whole in the first column" sh -c "COLUMNS=100 '$bin' models list | grep -q '^CyberRealistic XL v5.8'"
if command -v script >/dev/null; then
    "$bin" profiles list >pipe
    script -qec "stty cols 70; '$bin' profiles list" /dev/null </dev/null | tr -d '\r' | sed 's/\x1b\[[0-9]*m//g' >seen
    check "on a terminal of 70 columns" test "$(widest seen)" -le 70
    check "not wider than it must be" test "$(wc -l <seen)" -gt "$(wc -l <pipe)"
fi
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
