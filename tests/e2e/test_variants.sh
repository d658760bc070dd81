#!/bin/bash
# test_variants.sh BINARY SOURCE_DIR - a model with LoRAs is a model of its own: the embedded model with
# its stained-glass LoRA by every way in, in sweeps and workers, resumed, verified, drawn from again; LoRAs
# that are nowhere or were changed. Prints a line per check and "N passed, N failed".
set -u
bin=$(realpath "$1")
source=$(realpath "$2")
loras=$(realpath "$2/models/lab-tiny-loras")
. "$(dirname "$0")/common.sh"
draw=("$bin" generate --model "Lab Tiny XL" --prompt "a fox" --width 128 --height 128 --steps 2 --seed 3)
count() { find "$1" -name '*.png' ! -name 'sheet_*' | wc -l; }

# Every way in
expect "without" 0 "" "${draw[@]}" --output-dir base
expect "an option, by name" 0 "" "${draw[@]}" --lora stained-glass:0.8 --output-dir glass
base=$(one base) glass=$(one glass)
check "changes the picture" differ "$base" "$glass"
try() { # NAME COMMAND...: it draws what --lora stained-glass:0.8 does
    local name=$1 dir=way$((++n_ways))
    shift
    expect "$name" 0 "" "$@" --output-dir $dir
    check "$name: the same picture" same "$glass" "$(one $dir)"
}
n_ways=0
cp "$loras/stained-glass.safetensors" "$work/mine.safetensors"
try "a file" "${draw[@]}" --lora "$loras/stained-glass.safetensors:0.8"
try "a relative file" "${draw[@]}" --lora mine.safetensors:0.8
try "from the home folder" "${draw[@]}" --lora "~/mine.safetensors:0.8:0.8"
try "a tag" "${draw[@]}" --prompt "a fox <lora:stained-glass:0.8>"
try "a tag with names" "${draw[@]}" --prompt "<lora:stained-glass:te=0:unet=0.8>a fox"
try "several add up" "${draw[@]}" --lora stained-glass:0.5 --prompt "a fox <lora:stained-glass:0.3>"
try "and so do those of one option" "${draw[@]}" --lora "stained-glass:0.5 + stained-glass:0.3"
try "the environment" env LORA=stained-glass:0.8 MODEL_KEY="Lab Tiny XL" PROMPT="a fox" WIDTH=128 HEIGHT=128 \
    STEPS=2 SEED=3 "$bin"
try "two of the environment" env LORA="stained-glass:0.5; stained-glass:0.3" MODEL_KEY="Lab Tiny XL" PROMPT="a fox" \
    WIDTH=128 HEIGHT=128 STEPS=2 SEED=3 "$bin"
printf 'model: Lab Tiny XL\nprompt: a fox\nwidth: 128\nheight: 128\nsteps: 2\nseed: 3\nlora: [stained-glass:0.5]\n' >job.yaml
try "a flag comes before a job file" "$bin" generate --job job.yaml --lora stained-glass:0.8
sed -i 's/0.5/0.8/' job.yaml
try "a job file" "$bin" generate --job job.yaml
mkdir -p .local/share/sdxl-lab/loras/styles .config/sdxl-lab webui
cp "$loras/stained-glass.safetensors" .local/share/sdxl-lab/loras/styles/church.safetensors
cp "$loras/stained-glass.safetensors" webui/window.safetensors
echo 'loras: ~/webui' >.config/sdxl-lab/folders.yaml
try "a name in one's own folder" "${draw[@]}" --lora Church:0.8
try "a name of a folder that was configured" "${draw[@]}" --lora window:0.8
hub=.cache/huggingface/hub/models--me--glass commit=0123456789012345678901234567890123456789
mkdir -p $hub/snapshots/$commit $hub/refs
printf %s $commit >$hub/refs/main
cp "$loras/stained-glass.safetensors" $hub/snapshots/$commit/panes.safetensors
try "a repository of the cache" "${draw[@]}" --lora me/glass:0.8
try "a file of it" "${draw[@]}" --lora me/glass:panes.safetensors:0.8
expect "none is none" 0 "" "${draw[@]}" --lora none --output-dir none
check "none: the same as without" same "$base" "$(one none)"
expect "a scale of 0 is none" 0 "" "${draw[@]}" --lora stained-glass:0 --output-dir zero
check "0: the same as without" same "$base" "$(one zero)"
expect "a tag in the negative prompt" 0 "negative prompt changes nothing" "${draw[@]}" \
    --negative "<lora:stained-glass:1>" --output-dir negative
check "is not in it" sh -c "! grep -aq 'effective_negative\":\"<lora' negative/*.png"
cat >styles.yaml <<'END'
Window: {prompt: "{prompt} <lora:stained-glass:0.8>"}
END
try "a profile's words" "${draw[@]}" --profiles-file styles.yaml --profile Window

# What is written down
check "the record names it" grep -aq '"loras":\[{"name":"stained-glass","digest":"7c1fefc9' "$glass"
check "and no place" sh -c "! grep -aq 'lab-tiny-loras' '$glass'"
check "the text for others has the tag" grep -aq 'a fox <lora:stained-glass:0.8>' "$glass"
check "and the hash" grep -aq 'Lora hashes: "stained-glass: 7c1fefc9d78a"' "$glass"
check "a tag is not encoded" grep -aq '"styled_prompt":"a fox"' "$(one way4)"
check "the log has the file" grep -q '"loras":\[{"name":"stained-glass",.*"file":"/' glass/jobs*.log

# Refused before anything is drawn
# A picture of A1111 that has a tag: as the same options by hand
python3 - a1111.png <<'END'
import struct, sys, zlib
def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
text = """a fox <lora:stained-glass:0.8>
Negative prompt: blurry
Steps: 2, Sampler: Euler, CFG scale: 5, Seed: 3, Size: 128x128, Model: gone, RNG: CPU, Version: v1.10.1"""
open(sys.argv[1], "wb").write(b"\x89PNG\r\n\x1a\n"
    + chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0))
    + chunk(b"tEXt", b"parameters\0" + text.encode())
    + chunk(b"IDAT", zlib.compress((b"\0" + b"\x80" * 24) * 8)) + chunk(b"IEND", b""))
END
by_hand=(generate --model "Lab Tiny XL" --negative blurry --width 128 --height 128 --steps 2 --scheduler euler
    --guidance 5 --seed 3 --prompt-syntax a1111)
expect "from a picture of A1111" 0 "" "$bin" generate --from a1111.png --model "Lab Tiny XL" --output-dir tagged
expect "the same by hand" 0 "" "$bin" "${by_hand[@]}" --prompt "a fox" --lora stained-glass:0.8 --output-dir by-hand
check "is the same picture" same "$(one by-hand)" "$(one tagged)"
expect "without its LoRA" 0 "" "$bin" "${by_hand[@]}" --prompt "a fox" --output-dir untagged
check "is another" differ "$(one untagged)" "$(one tagged)"

expect "a name that is not there" 5 'did you mean "stained-glass"?' "${draw[@]}" --lora staind-glass --output-dir bad
expect "in a tag" 5 'prompt: there is no LoRA "staind-glass"' "${draw[@]}" --prompt "<lora:staind-glass:1> x" --output-dir bad
expect "on an axis, with its place" 5 '--sweep lora: there is no LoRA "gone"' "${draw[@]}" --sweep lora=turbo,gone --output-dir bad
expect "a file that is not there" 5 "/x/y.safetensors is not there" "${draw[@]}" --lora /x/y.safetensors --output-dir bad
expect "no scale" 2 "expected NAME" "${draw[@]}" --lora stained-glass: --output-dir bad
expect "a tag that is not closed" 2 "not closed" "${draw[@]}" --prompt "a <lora:stained-glass" --output-dir bad
expect "a file of another kind" 5 "this is a VAE" "${draw[@]}" --lora "$source/models/lab-tiny-xl/vae/diffusion_pytorch_model.fp16.safetensors" --output-dir bad
check "nothing was drawn" test ! -d bad -o "$(count bad 2>/dev/null || echo 0)" = 0

# Sweeps
axis=(--sweep lora=stained-glass:0.8,none,turbo --sweep seed=3,4)
expect "an axis" 0 "6 drawn, of 6" "${draw[@]}" "${axis[@]}" --output-dir sweep
run=$(ls -d sweep/sweep_*)
check "pictures of all variants are in one folder" test "$(ls "$run"/*.png | grep -vc sheet_)" -eq 6
check "names tell them apart" sh -c "ls '$run' | grep -q stained-glass && ls '$run' | grep -q no-lora"
check "the page has the column" grep -Eq '"caption": ?"LoRA"' "$run/cells.js"
check "one contact sheet has all" test "$(ls "$run" | grep -c '^sheet_')" -eq 1
for picture in "$run"/*stained-glass*seed3_*.png; do check "as drawn alone" same "$glass" "$picture"; done
for picture in "$run"/*no-lora*seed3_*.png; do check "undone to the bit" same "$base" "$picture"; done
expect "in worker processes" 0 "6 drawn, of 6" "${draw[@]}" "${axis[@]}" --workers 2 --output-dir workers
check "the same pictures" test "$(pixels "$run"/2*.png | sort)" = "$(pixels workers/sweep_*/2*.png | sort)"
expect "tags of a prompt axis" 0 "2 drawn, of 2" "${draw[@]}" --output-dir tags \
    --sweep 'prompt=a fox,a fox <lora:stained-glass:0.8>'
check "both are there" test "$(pixels tags/sweep_*/2*.png | sort)" = "$(pixels "$base" "$glass" | sort)"
expect "a dry run" 0 "LoRA stained-glass:0.8" "${draw[@]}" "${axis[@]}" --dry-run
expect "the same in two words is one" 0 "drawn once" "${draw[@]}" --sweep lora=stained-glass,Church --output-dir twice

# Resumed and extended
rm "$run"/*stained-glass*seed3_*.png "$run"/*no-lora*seed4_*.png
expect "what is missing is made again" 0 "2 drawn, 4 were there" "$bin" resume "$run"
for picture in "$run"/*stained-glass*seed3_*.png; do check "the same as before" same "$glass" "$picture"; done
expect "nothing is missing" 0 "0 drawn, 6 were there" "$bin" resume "$run"
expect "another LoRA" 0 "2 drawn, 6 were there" "$bin" resume "$run" --sweep lora=stained-glass:0.4
expect "another axis" 0 "8 drawn, 8 were there" "$bin" resume "$run" --sweep steps=3
check "all is there" test "$(ls "$run"/2*.png | wc -l)" -eq 16

# Verified and drawn from
expect "verify a picture" 0 "same" "$bin" verify "$glass"
expect "verify a run" 0 "same 16" "$bin" verify "$run"
expect "draw from a picture" 0 "" "$bin" generate --from "$glass" --output-dir again
check "the same" cmp "$glass" "$(one again)"
tagged=$(one way4)
expect "from one with a tag" 0 "" "$bin" generate --from "$tagged" --output-dir again2
check "the same picture again" same "$glass" "$(one again2)"
expect "with another LoRA" 0 "" "$bin" generate --from "$glass" --lora none --output-dir again3
check "is without" same "$base" "$(one again3)"

# A file that was changed
expect "a file of one's own" 0 "" "${draw[@]}" --lora ./mine.safetensors --output-dir own
expect "a run with it" 0 "2 drawn" "${draw[@]}" --sweep lora=./mine.safetensors,none --output-dir ownrun
own=$(one own) ownrun=$(ls -d ownrun/sweep_*)
rm "$ownrun"/2*mine*.png
cp "$loras/turbo.safetensors" mine.safetensors
expect "is not resumed with" 3 "mine.safetensors is another file than" "$bin" resume "$ownrun"
expect "nor verified with" 5 'LoRA "mine"' "$bin" verify "$own"
expect "nor drawn from" 5 'LoRA "mine"' "$bin" generate --from "$own" --output-dir own2
cp "$loras/stained-glass.safetensors" elsewhere.safetensors
expect "unless somebody says where it is" 0 "same" "$bin" verify --lora elsewhere.safetensors "$own"
mv elsewhere.safetensors mine.safetensors
expect "and goes on when it is back" 0 "1 drawn, 1 was there" "$bin" resume "$ownrun"

# Killed and resumed: every picture is what it is alone
"${draw[@]}" --sweep lora=none,stained-glass:0.8,turbo --sweep seed=3..6 --output-dir killed >out 2>err </dev/null &
pid=$!
for _ in $(seq 100); do [ "$(count killed 2>/dev/null)" -ge 5 ] && break; sleep 0.1; done 2>/dev/null
kill -KILL $pid && wait $pid 2>/dev/null
killed=$(ls -d killed/sweep_*)
expect "a run that was killed" 0 "of 12" "$bin" resume "$killed"
check "is whole" test "$(pixels "$killed"/2*.png | sort -u | wc -l)" -eq 12
for picture in "$killed"/*stained-glass*seed3_*.png; do check "with the LoRA" same "$glass" "$picture"; done
for picture in "$killed"/*no-lora*seed3_*.png; do check "and without" same "$base" "$picture"; done

# Another VAE: red does not depend on what it decodes.
mkdir -p .local/share/sdxl-lab/vaes
cp -r "$source/models/lab-tiny-xl/vae" othervae
weights=othervae/diffusion_pytorch_model.fp16.safetensors
python3 - $weights <<'END'
import json, struct, sys
with open(sys.argv[1], "r+b") as file:
    n = struct.unpack("<Q", file.read(8))[0]
    tensors = json.loads(file.read(n))
    for name, tensor in tensors.items():
        begin, end = tensor.get("data_offsets", [0, 0])
        if name.startswith("encoder.") or name == "decoder.conv_out.weight":
            file.seek(8 + n + begin)
            file.write(bytes((end - begin) // 3))
END
cp $weights .local/share/sdxl-lab/vaes/soft.safetensors
cp othervae/config.json .local/share/sdxl-lab/vaes # the embedded model's is not that of SDXL
expect "a folder" 0 "" "${draw[@]}" --vae ./othervae --output-dir vae
vae=$(one vae)
check "changes the picture" differ "$base" "$vae"
expect "a name" 0 "" "${draw[@]}" --vae soft --output-dir vae2
check "the same picture by name" same "$vae" "$(one vae2)"
expect "the environment" 0 "" env VAE=soft MODEL_KEY="Lab Tiny XL" PROMPT="a fox" WIDTH=128 HEIGHT=128 STEPS=2 SEED=3 \
    OUTPUT_DIR=vae3 "$bin"
check "the same picture by the environment" same "$vae" "$(one vae3)"
expect "an axis" 0 "4 drawn" "${draw[@]}" --sweep vae=soft,none --sweep lora=none,stained-glass:0.8 --output-dir vaes
check "has all four" test "$(pixels vaes/sweep_*/2*.png | sort -u | wc -l)" -eq 4
check "each as it is alone" test "$(pixels "$base" "$glass" "$vae" vaes/sweep_*/2*.png | sort | uniq -d | wc -l)" -eq 3
check "the record names it" grep -aq '"vae":"soft"' "$(one vae2)"
check "and so does the text for others" grep -aq 'VAE: soft' "$(one vae2)"
expect "verify" 0 "same" "$bin" verify "$vae"
expect "verify a run of both" 0 "same 4" "$bin" verify vaes/sweep_*
expect "draw from it" 0 "" "$bin" generate --from "$vae" --output-dir vae4
check "the same bytes of it" cmp "$vae" "$(one vae4)"
expect "none that is there" 5 "" "${draw[@]}" --vae gone/vae --output-dir bad
expect "a run with the folder" 0 "2 drawn" "${draw[@]}" --sweep vae=./othervae,none --output-dir vaerun
rm vaerun/sweep_*/2*othervae*.png
cp "$source/models/lab-tiny-xl/vae/diffusion_pytorch_model.fp16.safetensors" othervae
expect "a VAE that was changed is not resumed with" 3 "differ from those" "$bin" resume vaerun/sweep_*

# Entries of the list that are LoRAs
entry=(--prompt "a fox" --seed 3 --width 128 --height 128)
expect "the embedded turbo" 0 "" "$bin" generate --model "Lab Tiny XL Turbo" "${entry[@]}" --output-dir turbo
turbo=$(one turbo)
for member in '"steps":4,' '"guidance":0.0' '"scheduler":"lcm"' '"model_key":"Lab Tiny XL Turbo"'; do
    check "has its own settings: $member" grep -aqF "$member" "$turbo"
done
expect "is what its parts are" 0 "" "$bin" generate --model "Lab Tiny XL" --lora turbo --scheduler lcm --steps 4 \
    --guidance 0 "${entry[@]}" --output-dir parts
check "the same picture" same "$turbo" "$(one parts)"
expect "verify it" 0 "same" "$bin" verify "$turbo"
expect "draw from it" 0 "" "$bin" generate --from "$turbo" --output-dir turbo2
check "the same bytes" cmp "$turbo" "$(one turbo2)"
expect "a sweep with the model without it" 0 "2 drawn" "$bin" generate "${entry[@]}" --steps 4 \
    --sweep "model=Lab Tiny XL,Tiny Turbo" --output-dir models
check "a folder each" test "$(ls -d models/sweep_*/model_* | wc -l)" -eq 2
check "the same picture there" same "$turbo" "$(one models/sweep_*/model_lab-tiny-xl-turbo)"
cached() { # ID: its snapshot in the cache, made
    local dir=.cache/huggingface/hub/models--${1/\//--}
    mkdir -p "$dir/snapshots/$commit" "$dir/refs"
    printf %s $commit >"$dir/refs/main"
    echo "$dir/snapshots/$commit"
}
pixel=$(cached nerijs/pixel-art-xl)
cp "$loras/stained-glass.safetensors" "$pixel/pixel-art-xl.safetensors"
expect "a LoRA without its base" 5 "SDXL Base 1.0" "$bin" generate --model "Pixel Art XL" "${entry[@]}" --output-dir pixel
cp -r "$source/models/lab-tiny-xl/." "$(cached stabilityai/stable-diffusion-xl-base-1.0)"
expect "with it" 0 "" "$bin" generate --model "Pixel Art XL" "${entry[@]}" --steps 2 --output-dir pixel
expect "by its repository" 0 "" "$bin" generate --model nerijs/pixel-art-xl "${entry[@]}" --steps 2 --output-dir pixel2
expect "the base with the LoRA" 0 "" "$bin" generate --model "SDXL Base 1.0" --lora pixel-art-xl:1.2 "${entry[@]}" \
    --steps 2 --guidance 6 --output-dir pixel3
check "are the same" test "$(pixels pixel*/2*.png | sort -u | wc -l)" -eq 1
expect "one more of it adds up" 0 "" "$bin" generate --model "Pixel Art XL" --lora pixel-art-xl:-1.2 "${entry[@]}" \
    --steps 2 --output-dir pixel4
expect "to the base" 0 "" "$bin" generate --model "SDXL Base 1.0" "${entry[@]}" --steps 2 --output-dir pixel5
check "to nothing" same "$(one pixel4)" "$(one pixel5)"
expect "verify it" 0 "same" "$bin" verify "$(one pixel)"

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
