#!/bin/bash
# test_field.sh BINARY_WITH_FIELD BINARY SOURCE_DIR - a field that was added to the settings and to the cell, a
# row each, is in names, run.json, records, job log, dry runs, answers, page and contact sheet, and comes back
# from there. Prints "N passed, N failed".
set -u
bin=$(realpath "$1") plain=$(realpath "$2")
repo=$(realpath "$3")/tests/data/models/repo
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0
for name in HEADLESS PROMPT INSTANCE_ID CONTAINER_NAME HF_HOME HF_HUB_CACHE HUGGINGFACE_HUB_CACHE \
    XDG_CACHE_HOME XDG_CONFIG_HOME; do unset $name; done
export HOME=$work INSTANCE_ID=field
cd "$work" || exit 1
check() {
    local name=$1
    shift
    if "$@" >/dev/null 2>&1; then passed=$((passed + 1)); echo "ok   $name"
    else failed=$((failed + 1)); echo "FAIL $name"; fi
}
has() { grep -aq -- "$1" "$2"; }
draw=(generate --model "$repo" --prompt "a cat" --width 64 --height 64 --steps 1 --seed 5)

# Two values: everything tells them apart
"$bin" "${draw[@]}" --sweep test-field=0.25,0.75 --output-dir two --json --quiet >answer 2>err
run=$(ls -d two/sweep_*)
check "two pictures" test "$(ls $run/2*.png | wc -l)" -eq 2
check "two names" test "$(sed -n 's/^ *"id": "\([0-9a-f]\{32\}\)".*/\1/p' $run/run.json | sort -u | wc -l)" -eq 2
for value in 0.25 0.75; do
    check "$value in run.json" has "\"test_field\": $value" $run/run.json
    check "$value in a record" sh -c "grep -alF '\"test_field\":$value' $run/2*.png | wc -l | grep -qx 1"
    check "$value in the job log" has "\"test_field\": *$value" two/jobs_field.log
    check "$value in the answer" has "\"test_field\": $value" answer
    check "$value on the page" has "\"test_field\":$value" $run/cells.js
done
check "its caption on the page" has '"keys":\["test_field"\],"caption":"Test field"' $run/cells.js
"$bin" "${draw[@]}" --sweep test-field=0.25,0.75 --output-dir two --dry-run >dry 2>err
check "a column of the dry run" sh -c "grep -q 'test field 0.25' dry && grep -q 'test field 0.75' dry"
"$bin" "${draw[@]}" --sweep test-field=0.25,0.75 --output-dir two --dry-run --json >dry.json 2>err
check "in the dry run as JSON" has '"test_field": 0.75' dry.json

# The contact sheet: the field draws nothing, so sheets of the same pictures differ in what stands below them
sheet() { "$bin" "${draw[@]}" --sweep test-field=$1 --output-dir sheets$2 --quiet >/dev/null 2>&1; cp sheets$2/sweep_*/sheet_01.png $2.png; }
sheet 0.25,0.75 a
sheet 0.25,0.75 b
sheet 0.25,0.5 c
check "the same values, the same contact sheet" cmp a.png b.png
check "another value, another one" test -s c.png -a "$(cmp -s a.png c.png; echo $?)" -eq 1

# Over the pipe to a worker and back
"$bin" "${draw[@]}" --sweep test-field=0.25,0.75 --output-dir worker --workers 1 --quiet >/dev/null 2>err
check "drawn by a worker" test "$(grep -aoh '"test_field":0.[27]5' worker/*/2*.png | sort -u | wc -l)" -eq 2

# What does nothing is in no name: the id is that of a program without the field
id_of() { "$@" --json --quiet 2>/dev/null | sed -n 's/^ *"cell": "\([0-9a-f]*\)".*/\1/p' | head -1; }
zero=$(id_of "$bin" "${draw[@]}" --output-dir zero)
check "0 changes no name" test -n "$zero" -a "$zero" = "$(id_of "$plain" "${draw[@]}" --output-dir plain)"
some=$(id_of "$bin" "${draw[@]}" --test-field 0.5 --output-dir some)
check "0.5 does" test -n "$some" -a "$some" != "$zero"

# And back: a run goes on with it, a picture is drawn again from its record
rm "$(ls $run/2*.png | head -1)"
"$bin" resume $run >out 2>err
check "resumed" has "1 drawn, 1 was there" out
check "with both values in the records again" test "$(grep -aoh '"test_field":0.[27]5' $run/2*.png | sort -u | wc -l)" -eq 2
"$bin" verify $run/2*.png >out 2>err
check "verified" test "$(grep -c '^same' out)" -eq 2

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
