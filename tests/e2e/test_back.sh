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
"${draw[@]}" --sweep seed=1..3 --output-dir looked >/dev/null 2>&1
run=$(echo looked/sweep_*)

# Verifying: each finding has a word, a name in JSON and an exit code of its own
finding() { # NAME CODE FINDING ARGS...: the only picture's finding
    local name=$1 code=$2 finding=$3
    shift 3
    "$bin" verify --json "$@" >out 2>err </dev/null
    local got=$? is
    is=$(grep -o '"finding": "[a-z_]*"' out | cut -d'"' -f4 | tr '\n' ' ')
    if [ $got -eq "$code" ] && [ "$is" = "$finding " ]; then ok "$name"
    else bad "$name: exit $got, \"$is\""; fi
}
# edit FILE OUT SED: another record in the same pixels; checksum and length of its chunk are made new
edit() {
    python3 - "$@" <<'P'
import re, struct, sys, zlib
data, at, out = open(sys.argv[1], "rb").read(), 8, b"\x89PNG\r\n\x1a\n"
old, new = sys.argv[3].encode(), sys.argv[4].encode()
while at < len(data):
    n, kind = struct.unpack(">I4s", data[at:at + 8])
    body = data[at + 8:at + 8 + n]
    if kind in (b"tEXt", b"iTXt") and body.startswith(b"sdxl-lab\0"):
        body, n_found = re.subn(old, new, body)
        assert n_found, old
    out += struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    at += n + 12
open(sys.argv[2], "wb").write(out)
P
}
one=$(pictures one)
finding "the same" 0 same "$one"
edit "$one" other.png '"seed":"5"' '"seed":"6"'
finding "other pixels" 3 different other.png
edit "$one" size.png '"width":64' '"width":72'
finding "another size" 3 different size.png
edit "$one" huge.png '"width":64,"height":64' '"width":65536,"height":65536'
finding "a size that no machine draws is not tried" 3 different huge.png
finding "a file that is not there" 2 missing nowhere.png
finding "a picture of nobody" 2 not_ours "$source/tests/data/models/pipeline/init.png"
echo words >words.png
finding "no picture at all" 2 not_ours words.png
head -c 2000 "$one" >short.png
finding "a file that ends early" 3 damaged short.png
edit "$one" torn.png '"steps":1' '"steps":'
finding "a record that is no JSON" 3 damaged torn.png
edit "$one" lacking.png '"steps":1' '"stepz":1'
finding "a record that lacks what decides pixels" 3 damaged lacking.png
edit "$one" nobody.png '"id":"[^"]*"' '"id":"nobody/nothing"'
finding "a model that is not here" 5 no_model nobody.png
finding "a contact sheet" 0 sheet "$run/sheet_01.png"
"${draw[@]}" --device reference --dtype bf16 --output-dir plain >/dev/null 2>&1
edit "$(pictures plain)" near.png '"isa":"[^"]*"(.*)"precision":"BF16"' '"isa":"another"\1"precision":"F32"'
finding "computed in another way" 0 near near.png
expect "which says how near, and what is other" 0 " dB (isa " "$bin" verify near.png
check "the word for it" grep -q '^near       near.png: [0-9.]* dB (isa .*, was another' out
edit near.png near-not.png '"seed":"5"' '"seed":"6"'
finding "another picture is not near" 3 different near-not.png
esc=$(printf '\033')
edit "$one" hostile.png '"isa":"[^"]*"' '"isa":"\\u001b[31mred"'
"$bin" verify hostile.png >out 2>&1
check "a record does not steer the terminal" sh -c "grep -q '?\\[31mred' out && ! grep -q '$esc' out"

# Files and folders, mixed; runs with what they lack
expect "a run's folder" 0 "same 3, sheet 1" "$bin" verify "$run"
expect "and its files" 0 "same 3, sheet 1" "$bin" verify $run/*.png
expect "files and folders" 3 "same 4, sheet 1, DIFFERENT 1" "$bin" verify other.png "$one" "$run"
check "what it ends with" grep -q "1 of 5 pictures are not what their records say" err
expect "the folder of runs" 0 "same 3" "$bin" verify looked
cp words.png "$run/mine.png"
expect "other pictures may lie in a run's folder" 0 "not ours 1" "$bin" verify "$run"
rm "$run/mine.png" "$(pictures "$run" | head -1)"
expect "a picture that a run lacks" 2 "missing    $run/run.json: no picture of repo, None (raw), 64x64, seed 1, steps 1, guidance 5" \
    "$bin" verify "$run"
check "is said for what it is" grep -q "1 of 3 pictures could not be verified" err
mkdir empty
expect "a folder without pictures" 0 "no pictures there" "$bin" verify empty
expect "the worst counts: pixels" 3 "" "$bin" verify nowhere.png nobody.png other.png
expect "then models" 5 "" "$bin" verify nowhere.png nobody.png "$one"
expect "then the rest" 2 "" "$bin" verify nowhere.png "$one"

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
