#!/bin/bash
# test_back.sh BINARY SOURCE_DIR - looking back at what was drawn: answers that cannot be written, sheets and
# pages that are lost, verifying files and folders, records that stay true. Prints a line per check and "N passed,
# N failed".
set -u
bin=$(realpath "$1")
source=$(realpath "$2")
repo=$source/tests/data/models/repo
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0
for name in $(env | cut -d= -f1 | grep -E '^(HEADLESS|PROMPT|MODEL|STEPS|SEED|WIDTH|HEIGHT|SIZE|HF_|XDG_|HUGGING|OUTPUT_DIR|INSTANCE|CONTAINER)'); do unset "$name"; done
export HOME=$work INSTANCE_ID=t
cd "$work" || exit 1

ok() { passed=$((passed + 1)); echo "ok   $1"; }
bad() { failed=$((failed + 1)); echo "FAIL $1"; head -5 out err 2>/dev/null | cut -c1-200 | sed 's/^/     /'; }
# expect NAME CODE TEXT COMMAND...: the exit code, and TEXT on stdout or stderr (TEXT may be empty)
expect() {
    local name=$1 code=$2 text=$3
    shift 3
    "$@" >out 2>err </dev/null
    local got=$?
    if [ $got -ne "$code" ]; then bad "$name: exit $got, expected $code"
    elif [ -n "$text" ] && ! grep -qF -- "$text" out err; then bad "$name: no \"$text\""
    else ok "$name"; fi
}
check() {
    local name=$1
    shift
    if "$@" >/dev/null 2>&1; then ok "$name"; else bad "$name"; fi
}
pictures() { find "$@" -name '2*.png' 2>/dev/null | sort; }
draw=("$bin" generate --model "$repo" --prompt cat --size 64x64 --steps 1 --seed 5)

# An answer that cannot be written: exit 6 and a sentence, whatever the command
full() {
    "$@" >/dev/full 2>err
    local got=$?
    [ $got -eq 6 ] && [ "$(grep -c 'standard output: cannot write' err)" -eq 1 ]
}
"${draw[@]}" --output-dir one >/dev/null 2>&1
for words in "" help "help generate" "generate --help" version manual "manual --markdown" "completion bash" \
    "profiles list" "profiles show Watercolor" "profiles list --json" "models list" "models list --json" \
    "presets list" "inspect noise" "inspect noise --json" "inspect model --model $repo" \
    "inspect schedule --model $repo" "inspect tokens --model $repo --prompt cat" "verify $(pictures one)" \
    "verify --json $(pictures one)"; do
    check "full: $words" full "$bin" $words
done
check "full: a picture" full "${draw[@]}" --output-dir full
check "full: a picture, --json" full "${draw[@]}" --output-dir full --json
check "full: a dry run" full "${draw[@]}" --sweep steps=1,2 --dry-run
check "full: a run by the environment" full env PROMPT=cat MODEL="$repo" SIZE=64x64 STEPS=1 OUTPUT_DIR=full "$bin"
check "full: a sweep" full "${draw[@]}" --sweep seed=1,2 --output-dir full
check "what it drew is there all the same" test "$(pictures full | wc -l)" -eq 5
check "full: resuming it" full "$bin" resume full/sweep_*
closed() { "$@" >&- 2>err; [ $? -eq 6 ] && grep -q 'standard output: cannot write' err; }
check "closed: manual" closed "$bin" manual
check "closed: a picture" closed "${draw[@]}" --output-dir closed
check "nothing was printed into the picture" "$bin" verify closed/2*.png
hung_up() { # the reader has gone before the first byte
    { sleep 0.2; "$@" 2>err; echo $? >code; } | true
    [ "$(cat code)" -eq 6 ] && ! [ -s err ]
}
check "a closed pipe is met with silence: manual" hung_up "$bin" manual
check "a closed pipe is met with silence: a picture" hung_up "${draw[@]}" --quiet --output-dir pipe
check "which is drawn" test "$(pictures pipe | wc -l)" -eq 1

# Sheets and pages that are lost are made again; those that are there stay as they are
"${draw[@]}" --sweep seed=1..3 --output-dir sheets >/dev/null 2>&1
run=$(echo sheets/sweep_*)
cp "$run/sheet_01.png" whole.png
cp "$run/index.html" whole.html
rm "$run/sheet_01.png" "$run/index.html"
expect "a whole run without its sheet and page" 0 "0 drawn, 3 were there" "$bin" resume "$run"
check "has its sheet again" cmp whole.png "$run/sheet_01.png"
check "and its page" cmp whole.html "$run/index.html"
head -c 1000 whole.png >"$run/sheet_01.png"
expect "a sheet that is damaged" 0 "0 drawn" "$bin" resume "$run"
check "is made again, too" cmp whole.png "$run/sheet_01.png"
check "and nothing is set aside" sh -c "! ls $run | grep damaged"
touch -d @1 "$run/sheet_01.png"
"$bin" resume "$run" >/dev/null 2>&1
check "one that shows what there is stays" test "$(stat -c %Y "$run/sheet_01.png")" -eq 1
mv "$run/sheet_01.png" "$run/20260101-000000_mine.png"
"$bin" resume "$run" >/dev/null 2>&1
check "a sheet is known by its record, not by its name" cmp whole.png "$run/sheet_01.png"
cp "$(pictures "$run" | tail -1)" "$run/sheet_02.png"
rm "$(pictures "$run" | tail -1)"
expect "so is a picture" 0 "0 drawn, 3 were there" "$bin" resume "$run"

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
