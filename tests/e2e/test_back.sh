#!/bin/bash
# test_back.sh BINARY SOURCE_DIR - looking back at what was drawn: answers that cannot be written, sheets and
# pages that are lost, verifying files and folders, records that stay true. Prints a line per check and "N passed,
# N failed".
set -u
bin=$(realpath "$1")
source=$(realpath "$2")
repo=$source/tests/data/models/repo
. "$(dirname "$0")/common.sh"
export INSTANCE_ID=t
# Records keep the place of a model that is in nobody's home, wherever these sources are.
mkdir home
export HOME=$work/home
cp -r "$repo" "$work/repo"
repo=$work/repo
pictures() { find "$@" -name '2*.png' 2>/dev/null | sort; }
draw=("$bin" generate --model "$repo" --prompt cat --size 64x64 --steps 1 --seed 5)

# An answer that cannot be written: exit 6 and a sentence, whatever the command
full() {
    "$@" >/dev/full 2>err
    local got=$?
    [ $got -eq 6 ] && [ "$(grep -c 'standard output: cannot write' err)" -eq 1 ]
}
"${draw[@]}" --output-dir one >/dev/null 2>&1
for words in help "help generate" "generate --help" version manual "manual --markdown" "completion bash" \
    "profiles list" "profiles show Watercolor" "profiles list --json" "models list" "models list --json" \
    "presets list" "loras list" "loras list --json" "loras show turbo" "embeddings list" "inspect noise" \
    "inspect noise --json" "inspect model --model $repo" \
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

# What a run started from: resuming refuses another init image, in whatever way it is another
colour() { # FILE R G B: a PNG of one colour
    python3 - "$@" <<'P'
import struct, sys, zlib
chunk = lambda kind, body: struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
row = b"\0" + bytes(map(int, sys.argv[2:5])) * 64
open(sys.argv[1], "wb").write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 64, 8, 2, 0, 0, 0))
                              + chunk(b"IDAT", zlib.compress(row * 64)) + chunk(b"IEND", b""))
P
}
mkdir pics
colour pics/i.png 200 90 40
colour j.png 10 90 240
cp pics/i.png i-was.png
"${draw[@]}" --steps 2 --init-image pics/i.png --strength 0.9 --sweep seed=1..2 --output-dir init >/dev/null 2>&1
run=$(echo init/sweep_*)
second=$(pictures "$run" | tail -1)
cp "$second" second.png
again() { # NAME CODE TEXT: the second picture once more
    rm -f "$second"
    expect "$1" "$2" "$3" "$bin" resume "$run"
}
cp j.png pics/i.png
again "an init image that was replaced" 3 "pics/i.png is not the picture any more that it started from"
check "what to do is said" grep -q "put the picture back that it started from, or start a new run" err
check "which is not to go on" sh -c "! grep -q 'go on' out"
check "nothing was drawn from it" test ! -e "$second"
rm pics/i.png
again "one that was removed" 3 "pics/i.png: cannot open: No such file or directory; put the picture back"
head -c 60 i-was.png >pics/i.png
again "one that is damaged" 3 "pics/i.png"
convert_orientation() { # the same pixels, told to be turned: other bytes, another picture
    python3 - "$@" <<'P'
import struct, sys, zlib
data = open(sys.argv[1], "rb").read()
exif = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
chunk = struct.pack(">I", len(exif)) + b"eXIf" + exif + struct.pack(">I", zlib.crc32(b"eXIf" + exif))
open(sys.argv[2], "wb").write(data[:33] + chunk + data[33:])
P
}
convert_orientation i-was.png pics/i.png
again "one that lies on its side now" 3 "is not the picture any more"
expect "verify says it in its own word" 2 "no init  " "$bin" verify "$(pictures "$run" | head -1)"
cp i-was.png pics/i.png
again "put back, the run goes on" 0 "1 drawn, 1 was there"
check "with the same picture" cmp second.png "$second"
here=$PWD
rm "$second"
cd /
expect "from another folder, too" 0 "1 drawn, 1 was there" "$bin" resume "$here/$run"
expect "and verified there" 0 "same 2, sheet 1" "$bin" verify "$here/$run"
cd "$here" || exit 1
check "the same picture" cmp second.png "$second"

# Nothing in what is shared says whose it is: models, init images, sheets, pages
home=$work/home-of-wilhelmine
mkdir -p "$home/cache/hub/models--her--model/snapshots" "$home/cache/hub/models--her--model/refs" "$home/pics"
commit=$(printf 'a%.0s' $(seq 40))
cp -r "$repo" "$home/folder"
cp -r "$repo" "$home/cache/hub/models--her--model/snapshots/$commit"
printf %s "$commit" >"$home/cache/hub/models--her--model/refs/main"
cp i-was.png "$home/pics/mine.png"
hers() { env HOME="$home" HF_HOME="$home/cache" "$@"; }
cd "$home" || exit 1
for model in folder her/model "$home/cache/hub/models--her--model/snapshots/$commit"; do
    hers "$bin" generate --prompt cat --size 64x64 --steps 4 --init-image pics/mine.png --model "$model" \
        --sweep seed=1,2 --output-dir out >/dev/null 2>"$here/err"
done
cd "$here" || exit 1
run=$home/out
check "six pictures" test "$(pictures "$run" | wc -l)" -eq 6
check "no picture names her home" sh -c "! grep -rla wilhelmine $run --include=*.png"
mv "$home/pics/mine.png" "$home/pics/moved.png"
rm "$(pictures "$run" | head -1)"
hers "$bin" resume "$(dirname "$(pictures "$run" | head -1)")" >out 2>err
mv "$home/pics/moved.png" "$home/pics/mine.png"
check "a failure is told on a page" sh -c "grep -h '\"mine.png: cannot open' $run/*/cells.js"
hers "$bin" resume "$(dirname "$(pictures "$run" | head -1)")" >out 2>err
check "nor a page" sh -c "! grep -l wilhelmine $run/*/index.html $run/*/cells.js"
check "the repository and its commit instead" test "$(grep -la '"id":"her/model","commit":"'$commit $(pictures "$run") | wc -l)" -eq 4
check "or the folder's name" test "$(grep -la '"id":"folder","digest"' $(pictures "$run") | wc -l)" -eq 2
check "for A1111's tools, too" test "$(grep -la 'Model: folder, ' $(pictures "$run") | wc -l)" -eq 2
check "and the init image's" test "$(grep -la '"init_image":"mine.png"' $(pictures "$run") | wc -l)" -eq 6
expect "at home they are verified" 0 "same 6, sheet 3" hers "$bin" verify "$run"
cp "$(grep -la '"id":"folder"' $(pictures "$run") | head -1)" away.png
expect "away from there the model has to be named" 5 "say it with --model" "$bin" verify away.png
expect "and the init image" 2 "no init" "$bin" verify away.png --model "$home/folder"
expect "then it is verified" 0 "same" "$bin" verify away.png --model "$home/folder" --init-image i-was.png

# The cache moved on: the planned commit is gone on with, by any name of it
newer=$(printf 'b%.0s' $(seq 40))
snapshots=$home/cache/hub/models--her--model/snapshots refs=$home/cache/hub/models--her--model/refs
cp -r "$repo" "$snapshots/$newer"
printf '\0\0' | dd of="$snapshots/$newer/unet/diffusion_pytorch_model.safetensors" bs=1 conv=notrunc \
    seek=$(($(stat -c %s "$repo/unet/diffusion_pytorch_model.safetensors") - 2)) 2>/dev/null
printf %s "$commit" >"$refs/v1"
for revision in main v1 "$commit"; do
    printf %s "$commit" | tee "$refs/main" >"$refs/v1"
    hers "${draw[@]}" --model her/model --revision $revision --sweep seed=1..2 --output-dir moved-$revision >/dev/null 2>&1
    run=$(echo moved-$revision/sweep_*)
    second=$(pictures "$run" | tail -1)
    cp "$second" second.png
    rm "$second"
    printf %s "$newer" | tee "$refs/main" >"$refs/v1"
    expect "$revision moved on" 0 "1 drawn, 1 was there" hers "$bin" resume "$run"
    check "the picture is that of the planned commit" cmp second.png "$second"
    expect "and verified" 0 "same 2, sheet 1" hers "$bin" verify "$run"
    check "the log has the commit" sh -c "! grep -v '\"revision\":\"$commit\"' moved-$revision/jobs_t.log"
done
mv "$snapshots/$commit" gone
rm "$second"
expect "the planned commit is gone" 3 "the run was planned with commit $commit" hers "$bin" resume "$run"
check "what to do is said" grep -q "sdxl-lab models download her/model --revision $commit" err out
cp -r gone "$snapshots/$newer.same"
rm -rf "${snapshots:?}/$newer"
mv "$snapshots/$newer.same" "$snapshots/$newer"
sed -i "s/\"revision\": \"$commit\"/\"revision\": \"main\"/" "$run/run.json"
expect "unless another one has the same files" 0 "1 drawn" hers "$bin" resume "$run"

# The log says what the records say, of every field of a cell
"${draw[@]}" --steps 3 --init-image i-was.png --strength 0.6 --scheduler "dpm++ 2m karras" --profile Watercolor \
    --negative blurry --guidance 4.5 --guidance-rescale 0.2 --rng torch-cuda --seed 18446744073709551615 \
    --output-dir told --json >told.json 2>err
agree() {
    python3 - told.json told/jobs_t.log "$(pictures told)" <<'P'
import json, re, sys
answer = json.load(open(sys.argv[1]))["images"][0]
line = json.loads(open(sys.argv[2]).read())
data = open(sys.argv[3], "rb").read()
record = json.loads(data[data.index(b"sdxl-lab\0{") + 9:].split(b"\n", 1)[0][:json.JSONDecoder().raw_decode(data[data.index(b"sdxl-lab\0{") + 9:].decode("latin-1"))[1]])
of_log = {"profile": "profile_style", "negative": "negative_prompt", "effective_negative": "effective_negative_prompt",
          "seed": "seed_base", "guidance": "guidance_scale"}
bad = []
for key, value in record.items():
    if key in ("format", "cell", "model", "drawn_by", "init_pixels"): continue
    if key == "init_image":
        assert line[key].endswith("/" + value) and answer[key].endswith("/" + value), (line[key], value)
        continue
    if line.get(of_log.get(key, key), "absent") != value: bad.append(("log", key, line.get(of_log.get(key, key)), value))
    if key not in ("mode", "fallback", "vae_tile") and answer.get(key, "absent") != value: bad.append(("json", key, answer.get(key), value))
for key, value in record["drawn_by"].items():
    if line[key] != value: bad.append((key, line[key], value))
assert record["cell"] == line["cells"][0] == answer["cell"]
assert record["model"]["digest"] == line["weights"]
assert line["paths"][0] == answer["path"] and answer["path"].startswith("/"), line["paths"]
assert line["run_dir"].startswith("/")
assert record["scheduler_config"]["_class_name"] == "DPMSolverMultistepScheduler"
assert len(record) > 25, len(record)
assert not bad, bad
P
}
agree >out 2>err && ok "log, --json and record agree" || bad "log, --json and record agree"

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
