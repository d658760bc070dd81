#!/bin/bash
# test_embeddings.sh BINARY SOURCE_DIR - textual inversions with the miniature SDXL of the tests: by file, by
# name and as other programs name them, in prompts and negative prompts of every syntax; what is written
# down, verified, resumed, drawn from again; files that are refused, missing or changed. Prints a line per
# check and "N passed, N failed".
set -u
bin=$(realpath "$1")
source=$(realpath "$2")
data=$source/tests/data
. "$(dirname "$0")/common.sh"
bare=("$bin" generate --model "$data/models/repo" --width 64 --height 64 --steps 2 --seed 3)
draw=("${bare[@]}" --prompt "a glow fox")
own=.local/share/sdxl-lab/embeddings
count() { find "$1" -name '*.png' ! -name 'sheet_*' | wc -l; }
cp "$data"/embeddings/*.safetensors .

# Every way in
expect "without" 0 "" "${draw[@]}" --output-dir base
expect "an option" 0 "" "${draw[@]}" --embedding "$data/embeddings/glow.safetensors" --output-dir glow
base=$(one base) glow=$(one glow)
check "changes the picture" differ "$base" "$glow"
n_ways=0
try() { # NAME COMMAND...: it draws what the option does
    local name=$1 dir=way$((++n_ways))
    shift
    expect "$name" 0 "" "$@" --output-dir $dir
    check "$name: the same picture" same "$glow" "$(one $dir)"
}
cp glow.safetensors spark.safetensors
try "a relative file" "${draw[@]}" --embedding glow.safetensors
try "from the home folder" "${draw[@]}" --embedding "~/glow.safetensors"
try "another word" "${draw[@]}" --embedding spark.safetensors:glow
try "whatever its case" "${draw[@]}" --prompt "a GLOW fox" --embedding glow.safetensors
try "the environment" env EMBEDDING="spark.safetensors:glow; wave.safetensors" PROMPT="a glow fox" WIDTH=64 HEIGHT=64 \
    STEPS=2 SEED=3 MODEL="$data/models/repo" "$bin"
printf 'model: %s\nprompt: a glow fox\nwidth: 64\nheight: 64\nsteps: 2\nseed: 3\nembedding: [glow.safetensors]\n' \
    "$data/models/repo" >job.yaml
try "a job file" "$bin" generate --job job.yaml
hub=.cache/huggingface/hub/models--me--bright commit=0123456789012345678901234567890123456789
mkdir -p $hub/snapshots/$commit $hub/refs
printf %s $commit >$hub/refs/main
cp glow.safetensors $hub/snapshots/$commit/light.safetensors
try "a repository of the cache" "${draw[@]}" --embedding me/bright:glow
try "a file of it" "${draw[@]}" --embedding me/bright:light.safetensors:glow
try "a name of the cache, as ComfyUI writes it" "${bare[@]}" --prompt "a embedding:light fox"
mkdir -p $own/styles .config/sdxl-lab webui
cp glow.safetensors $own
try "a file of one's own folder is used by its name" "${draw[@]}"
try "as ComfyUI names it" "${bare[@]}" --prompt "a embedding:glow fox"
try "and its file" "${bare[@]}" --prompt "a (embedding:glow.safetensors:1.0) fox" --prompt-syntax a1111
expect "a word within a word is none" 0 "" "${bare[@]}" --prompt "a glowing fox" --output-dir within
check "nothing is written of it" sh -c "! grep -aq '\"embedding' within/*.png"
mv $own/glow.safetensors $own/styles/deep.safetensors
try "a name with its folder" "${bare[@]}" --prompt "a embedding:styles/deep fox"
rm -r $own
mv glow.safetensors webui
echo 'embeddings: ~/webui' >.config/sdxl-lab/folders.yaml
try "a folder that was configured" "${draw[@]}"
try "what is said comes before it" "${draw[@]}" --embedding spark.safetensors:glow

cp .config/sdxl-lab/folders.yaml sound.yaml
echo 'lora: ~/webui' >.config/sdxl-lab/folders.yaml
expect "a wrong folders.yaml is told" 0 "/folders.yaml:1:1: \"lora\" is no kind of folder" "${draw[@]}" --output-dir wrong
check "and stops nothing that needs none" same "$base" "$(one wrong)"
expect "a name to look up needs it" 2 "folders.yaml:1:1:" "${bare[@]}" --prompt "a embedding:glow fox"
expect "so does a LoRA's" 2 "folders.yaml:1:1:" "${bare[@]}" --prompt "a fox" --lora glass
mv sound.yaml .config/sdxl-lab/folders.yaml

# Prompts of every syntax, negative prompts, several vectors
for syntax in plain a1111 compel; do
    expect "$syntax" 0 "" "${draw[@]}" --prompt-syntax $syntax --output-dir $syntax
    check "$syntax: as plain" same "$glow" "$(one $syntax)"
    expect "$syntax, of three vectors" 0 "" "${bare[@]}" --prompt "wave, a fox" --embedding wave.safetensors \
        --prompt-syntax $syntax --output-dir wave_$syntax
done
check "of three vectors: as plain" same "$(one wave_plain)" "$(one wave_a1111)"
expect "with a weight" 0 "" "${bare[@]}" --prompt "a (glow:1.4) fox" --prompt-syntax a1111 --output-dir weight
check "which counts" differ "$glow" "$(one weight)"
expect "in the negative prompt" 0 "" "${bare[@]}" --prompt "a fox" --negative "blurry, glow" --output-dir negative
expect "and as a word there" 0 "" env HOME=/nowhere "${bare[@]}" --prompt "a fox" --negative "blurry, glow" --output-dir word
check "is another picture" differ "$(one negative)" "$(one word)"
expect "with another clip skip" 0 "" "${draw[@]}" --clip-skip 1 --output-dir skip
check "is another picture, too" differ "$glow" "$(one skip)"
printf 'Bright: {prompt: "{prompt}", negative: glow}\n' >styles.yaml
expect "a profile's words" 0 "" "${bare[@]}" --prompt "a fox" --profiles-file styles.yaml --profile Bright --output-dir style
check "count as well" grep -aq '"embedding":"glow"' "$(one style)"

# inspect tokens: vectors are tokens
tokens() { # OPTION...
    "$bin" inspect tokens --model "$data/models/repo" "$@" | sed -n 's/.*"tokens": \([0-9]*\),.*/\1/p'
}
n=$(tokens --prompt "a fox")
check "a file by its name is a token" test "$(tokens --prompt "a fox glow")" = $((n + 1))
check "three vectors are three" test "$(tokens --prompt "a fox glow" --embedding wave.safetensors:glow)" = $((n + 3))
check "in another syntax, too" test "$(tokens --prompt "a fox glow" --embedding wave.safetensors:glow --prompt-syntax a1111)" = $((n + 3))

# What is written down
digest=$(sha256sum webui/glow.safetensors | cut -c1-64)
check "the record has word and digest" grep -aq "\"embedding\":\"glow\",\"embedding_digests\":\"$digest\"" "$glow"
check "and no place" sh -c "! grep -aq 'data/embeddings' '$glow'"
check "nothing without any" sh -c "! grep -aq '\"embedding' '$base'"
check "the text for others has the hash" grep -aq "TI hashes: \"glow: $(echo $digest | cut -c1-12)\"" "$glow"
check "the log has the file" grep -q '"embedding_files":"/.*glow.safetensors"' glow/jobs*.log
check "and the word" grep -q '"embedding":"glow"' glow/jobs*.log
expect "one that is not used" 0 'no prompt has the word "wave"' "${draw[@]}" --embedding wave.safetensors --output-dir unused
check "is told once" test "$(cat out err | grep -c 'the word "wave"')" -eq 1
expect "others are told when asked" 0 'embedding "glow": ' "${draw[@]}" --verbose --output-dir told

# Refused before anything is drawn
make() { # FILE TENSOR=SHAPE...: of zeros
    python3 - "$@" <<'END'
import json, struct, sys
header, at = {}, 0
for argument in sys.argv[2:]:
    name, shape = argument.split("=")
    shape, n = [int(x) for x in shape.split("x")], 4
    for x in shape:
        n *= x
    header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, at + n]}
    at += n
text = json.dumps(header).encode()
open(sys.argv[1], "wb").write(struct.pack("<Q", len(text)) + text + bytes(at))
END
}
make sd1.safetensors emb_params=2x768
make sd2.safetensors emb_params=2x1024
make sdxl.safetensors clip_l=2x768 clip_g=2x1280
make "two words.safetensors" clip_l=1x24 clip_g=1x40
make many.safetensors clip_l=80x24 clip_g=80x40
echo pickle >old.pt
refuse() { # NAME CODE TEXT EMBEDDING
    expect "$1" "$2" "$3" "${bare[@]}" --prompt "sd1 sd2 sdxl many old fox" --embedding "$4" --output-dir bad
}
refuse "one for SD 1" 5 "Stable Diffusion 1.x (768 wide)" sd1.safetensors
refuse "one for SD 2" 5 "Stable Diffusion 2.x (1024 wide)" sd2.safetensors
refuse "one of other widths" 5 "have 768 and 1280 numbers, expected 24 and 40" sdxl.safetensors
refuse "a pickle" 5 "convert it with torch.load" ./old.pt
cp old.pt webui/older.pt
refuse "a pickle that has the name" 5 "/webui/older.pt: expected a .safetensors file" older
refuse "a pickle with its ending" 5 "convert it with torch.load" older.pt
refuse "more vectors than a chunk has" 2 "80 vectors, and a prompt has room for 75" many.safetensors
refuse "a LoRA" 5 "this is a LoRA" "$source/models/lab-tiny-loras/stained-glass.safetensors:fox"
refuse "a name that is not there" 5 'there is no embedding "gone"' gone
refuse "a file that is not there" 5 "/x/y.safetensors is not there" /x/y.safetensors
refuse "no word" 2 "there is no word behind the colon" glow:
refuse "several words" 2 "more than a word behind the colon" "glow:a b"
refuse "a file whose name is no word" 2 "say which word stands for it" "two words.safetensors"
refuse "nothing" 2 "expected a file or a name" ""
expect "a word for two" 2 'the word "GLOW" stands for two embeddings' "${draw[@]}" --output-dir bad \
    --embedding webui/glow.safetensors --embedding wave.safetensors:GLOW
expect "one that the prompt names" 5 'there is no embedding "glwo"; did you mean "glow"?' "${bare[@]}" \
    --prompt "a embedding:glwo fox" --output-dir bad
check "nothing was drawn" test ! -d bad -o "$(count bad 2>/dev/null || echo 0)" = 0
mv sd1.safetensors webui/fox.safetensors
expect "one for another model whose name is a word" 0 '"fox" is drawn as the word' "${draw[@]}" --output-dir other
check "is the word" same "$glow" "$(one other)"
rm webui/fox.safetensors

# Sweeps, workers
axis=(--sweep 'prompt=a fox,a glow fox,wave fox' --sweep seed=3,4 --embedding wave.safetensors)
expect "an axis of prompts" 0 "6 drawn, of 6" "${bare[@]}" "${axis[@]}" --output-dir sweep
run=$(ls -d sweep/sweep_*)
check "as drawn alone" grep -q "$(pixels "$glow")" <(pixels "$run"/2*.png)
expect "in worker processes" 0 "6 drawn, of 6" "${bare[@]}" "${axis[@]}" --workers 2 --output-dir workers
check "the same pictures" test "$(pixels "$run"/2*.png | sort)" = "$(pixels workers/sweep_*/2*.png | sort)"

# Verified, resumed, drawn from
expect "verify a picture" 0 "same" "$bin" verify "$glow"
expect "verify a run" 0 "same 6" "$bin" verify "$run"
expect "verify one of the environment's" 0 "same" "$bin" verify "$(one way3)"
rm "$run"/*glow*seed3*.png 2>/dev/null || rm "$(ls "$run"/2*.png | sed -n 2p)"
expect "what is missing is made again" 0 "1 drawn, 5 were there" "$bin" resume "$run"
expect "an axis more" 0 "6 drawn, 6 were there" "$bin" resume "$run" --sweep steps=3
expect "draw from a picture" 0 "" "$bin" generate --from "$glow" --output-dir again
check "the same" cmp "$glow" "$(one again)"
expect "a file that moved is found by its digest" 0 "" sh -c "mkdir -p elsewhere && cp '$glow' elsewhere/a.png && \
    mv webui/glow.safetensors webui/renamed.safetensors && '$bin' generate --from elsewhere/a.png --model '$data/models/repo' \
    --output-dir moved"
check "moved: the same" same "$glow" "$(one moved)"
mv webui/renamed.safetensors webui/glow.safetensors

# Changed and missing
rm "$(one way3 | xargs dirname)"/jobs*.log
expect "one by name and digest" 0 "same" "$bin" verify --model "$data/models/repo" "$(one way3)"
expect "none takes back what a record says" 0 "" env HOME=/nowhere "$bin" generate --from "$glow" --embedding none \
    --output-dir none
check "none: as without" same "$base" "$(one none)"
cp half.safetensors webui/glow.safetensors
cp half.safetensors spark.safetensors
rm -r "$hub"
expect "verify sees a changed file" 5 'the embedding "glow" that it was drawn with is not here, or was changed' \
    "$bin" verify --model "$data/models/repo" "$(one way3)"
expect "and takes another place" 0 "same" "$bin" verify --model "$data/models/repo" --embedding \
    "$data/embeddings/glow.safetensors" "$(one way3)"
expect "drawing from it is refused" 5 'its embedding "glow" is not here' "$bin" generate --from "$(one way3)" \
    --model "$data/models/repo" --output-dir bad2
expect "with another one it is another picture" 0 "" "$bin" generate --from "$(one way3)" --model "$data/models/repo" \
    --embedding webui/glow.safetensors --output-dir changed
check "which has another name" test "$(grep -ao '"cell":"[0-9a-f]*"' "$(one changed)")" != \
    "$(grep -ao '"cell":"[0-9a-f]*"' "$glow")"
rm "$run"/2*.png
expect "resume refuses a changed file" 3 "is another file than" "$bin" resume "$run"
check "and draws what has none" test "$(ls "$run"/2*.png | wc -l)" -gt 0
expect "so does extending" 2 "is another file than the run was planned with" "$bin" resume "$run" --sweep steps=4

# What A1111 wrote
a1111() { # FILE HASH [NAME]
    python3 - "$@" <<'END'
import struct, sys, zlib
text = ("a glow fox\nSteps: 2, Sampler: Euler, CFG scale: 5, Seed: 3, Size: 64x64, RNG: CPU, "
        f'TI hashes: "{(sys.argv[3:] + ["glow"])[0]}: {sys.argv[2]}", Version: v1.10.0')
chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
row = zlib.compress(b"\0" + bytes(3))
open(sys.argv[1], "wb").write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)) +
                              chunk(b"tEXt", b"parameters\0" + text.encode()) + chunk(b"IDAT", row) + chunk(b"IEND", b""))
END
}
a1111 theirs.png "$(echo $digest | cut -c1-12)"
cp "$data/embeddings/glow.safetensors" webui/light.safetensors
from=("$bin" generate --from theirs.png --model "$data/models/repo")
expect "by its hash, under another name" 0 "" "${from[@]}" --output-dir hashed
check "is in the record" grep -aq "\"embedding\":\"glow\",\"embedding_digests\":\"$digest\"" "$(one hashed)"
a1111 theirs.png 0123456789ab
expect "a hash of nothing here" 0 'the embedding "glow" (0123456789ab) is not here' "${from[@]}" --output-dir unknown
a1111 theirs.png "$(echo $digest | cut -c1-12)" "bright light"
expect "a name of several words" 0 'the embedding "bright light" is drawn as words' "${from[@]}" --output-dir words

# Damaged and foreign
head -c 200 "$data/embeddings/glow.safetensors" >cut.safetensors
expect "a shortened file" 5 "cut.safetensors" "${bare[@]}" --prompt "a cut fox" --embedding cut.safetensors --output-dir bad3
expect "completion knows names" 0 "light" "$bin" complete words -- sdxl-lab generate --embedding ""

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
