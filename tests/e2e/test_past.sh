#!/bin/bash
# test_past.sh BINARY SOURCE_DIR - records of other programs and our own: shown, and drawn from again. Prints a line per
# check and "N passed, N failed".
set -u
bin=$(realpath "$1")
source=$(realpath "$2")
repo=$source/tests/data/models/repo
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0
for name in $(env | cut -d= -f1 | grep -E '^(HEADLESS|PROMPT|MODEL|STEPS|SEED|WIDTH|HEIGHT|SIZE|HF_|XDG_|HUGGING|OUTPUT_DIR|INSTANCE|CONTAINER|FROM)'); do unset "$name"; done
export HOME=$work/home INSTANCE_ID=t
cd "$work" || exit 1
mkdir home
# Records keep the place of a model that is in nobody's home, wherever these sources are.
cp -r "$repo" "$work/repo"
repo=$work/repo
mkdir p
python3 "$source/tests/e2e/make_past.py" p || exit 1

ok() { passed=$((passed + 1)); echo "ok   $1"; }
bad() { failed=$((failed + 1)); echo "FAIL $1"; head -8 out err 2>/dev/null | cut -c1-200 | cat -v | sed 's/^/     /'; }
expect() { # NAME CODE TEXT COMMAND...: the exit code within 20 seconds, and TEXT on stdout or stderr
    local name=$1 code=$2 text=$3
    shift 3
    timeout 20 "$@" >out 2>err </dev/null
    local got=$?
    if [ $got -ne "$code" ]; then bad "$name: exit $got, expected $code"
    elif [ -n "$text" ] && ! grep -qF -- "$text" out err; then bad "$name: no \"$text\""
    else ok "$name"; fi
}
# says FILE JSON: the common keys of its record; keys that JSON leaves out are not looked at
says() {
    timeout 20 "$bin" show --json "p/$1" >out 2>err
    if python3 - out "$2" 2>>err <<'P'
import json, sys
found, wanted = json.load(open(sys.argv[1])), json.loads(sys.argv[2])
wrong = {key: (found.get(key), value) for key, value in wanted.items() if found.get(key) != value}
assert isinstance(found["raw"], dict) and found["raw"], "raw"
assert not wrong, wrong
P
    then ok "$1"; else bad "$1"; fi
}

# Each program's record in the same keys
a1111='{"source": "A1111", "prompt": "a castle, (fog:1.2) <lora:pixel-art-xl:0.8>\non a hill", "negative": "blurry, lowres",
  "steps": 26, "sampler": "DPM++ 2M", "schedule": "Karras", "guidance": 7.5, "seed": "1234567890123", "width": 832, "height": 1216,
  "model": "sd_xl_base_1.0", "model_hash": "31e35c80fc", "clip_skip": 2, "rng": "CPU", "loras": ["pixel-art-xl: 0.8"],
  "version": "v1.10.1", "others": {"Hires upscale": "2", "Lora hashes": "pixel-art-xl: bbf3d8defbfb"}}'
for file in a1111.png a1111.jpg a1111-intel.jpg a1111.webp cut.png; do says $file "$a1111"; done
says a1111-old.png '{"source": "A1111", "prompt": "a fox", "steps": 20, "sampler": "Euler a", "seed": "7", "model": "x"}'
says a1111-utf8.png '{"prompt": "ein Käfer, 狐", "sampler": "DPM++ 2M Karras"}'
says a1111-ascii.jpg '{"source": "A1111", "prompt": "a fox", "sampler": "DDIM", "seed": "9"}'
says comfy.png '{"source": "ComfyUI", "prompt": "a lighthouse at dusk", "negative": "watermark", "steps": 25, "guidance": 6.5,
  "sampler": "dpmpp_2m", "schedule": "karras", "seed": "42", "width": 1216, "height": 832, "clip_skip": 2,
  "model": "sd_xl_base_1.0.safetensors", "loras": ["line.safetensors: 1", "pixel.safetensors: 0.7"], "others": {"Samplers": "2"}}'
says comfy-custom.png '{"source": "ComfyUI", "prompt": "a tree", "steps": 12, "guidance": 4, "sampler": "euler_ancestral",
  "schedule": "simple", "seed": "18446744073709551615", "width": 512, "height": 640, "model": "turbo.safetensors"}'
says invoke.png '{"source": "InvokeAI", "prompt": "a fox", "negative": "text", "steps": 30, "guidance": 7.5, "guidance_rescale": 0.5,
  "sampler": "dpmpp_2m_k", "seed": "99", "width": 1024, "height": 768, "model": "Juggernaut XL v9", "loras": ["pixel: 0.75"]}'
says invoke-2.png '{"source": "InvokeAI", "prompt": "an owl", "steps": 50, "sampler": "k_euler_a", "seed": "5", "width": 512}'
says dream.png '{"source": "InvokeAI", "prompt": "an old owl", "steps": 50, "sampler": "k_lms", "seed": "1950357039", "height": 640,
  "guidance": 7.5}'
says swarm.png '{"source": "SwarmUI", "prompt": "a boat", "negative": "people", "steps": 20, "guidance": 7, "sampler": "euler",
  "schedule": "normal", "seed": "3", "width": 1344, "height": 768, "model": "OfficialStableDiffusion/sd_xl_base_1.0",
  "loras": ["pixel: 0.5"], "version": "0.9.4"}'
says fooocus.png '{"source": "Fooocus", "prompt": "a barn", "steps": 30, "guidance": 4, "sampler": "dpmpp_2m_sde_gpu",
  "schedule": "karras", "seed": "77", "width": 1152, "height": 896, "model": "juggernautXL_v8Rundiffusion",
  "model_hash": "aeb7e9e689", "loras": ["offset: 0.1"]}'
says novel.png '{"source": "NovelAI", "prompt": "a girl", "negative": "bad", "steps": 28, "guidance": 5, "seed": "8", "width": 832}'

# Nothing there, damaged, hostile: a sentence, no crash, no waiting
expect "no record" 2 "none.png: no record of how it was made in this PNG file" "$bin" show p/none.png
expect "no file" 2 "nowhere.png: cannot open" "$bin" show nowhere.png
expect "no picture" 2 "neither a PNG nor a JPEG nor a WebP file" "$bin" show "$bin"
expect "a damaged text" 2 "damaged" "$bin" show p/damaged.png
expect "whose pixels are read all the same" 0 "" "$bin" generate --model "$repo" --prompt x --init-image p/damaged.png \
    --strength 1 --size 64x64 --steps 1 --dry-run
expect "nesting without end" 2 "no record" "$bin" show p/nested.png
expect "a text of 300 MB" 2 "no record" "$bin" show p/bomb.png
expect "EXIF that goes round in circles" 2 "no record" "$bin" show p/loops.jpg
expect "EXIF that points out of the file" 2 "damaged" "$bin" show p/far.jpg
says comfy-circle.png '{"steps": 25, "seed": "42", "loras": ["line.safetensors: 1", "pixel.safetensors: 0.7"]}'
says comfy-wide.png '{"source": "ComfyUI"}'
says comfy-deep.png '{"steps": 3}'
expect "control characters" 0 "a?[31mred? ? fox" "$bin" show p/hostile.png
check_tame() { ! LC_ALL=C grep -q "$(printf '[\001-\010\013-\037\177]')" out; }
check_tame && ok "do not reach the terminal" || bad "do not reach the terminal"
expect "several files: those that say something, and a word for each other" 2 "2 of 3 files have no record" \
    "$bin" show p/none.png p/a1111.png p/damaged.png
grep -q "a castle" out && [ "$(grep -c 'error:' err)" -eq 3 ] && ok "both" || bad "both"
expect "a folder" 2 "a lighthouse at dusk" "$bin" show p
[ "$(grep -c '^  Source' out)" -ge 20 ] && ok "all that it holds" || bad "all that it holds"
"$bin" show --json - <p/a1111.webp >out 2>err
grep -q '"path": "-"' out && grep -q '"source": "A1111"' out && ok "standard input" || bad "standard input"
"$bin" show --json p/a1111.png p/comfy.png >out 2>err
[ "$(grep -c '^{$' out)" -eq 2 ] && ok "an object a file" || bad "an object a file"

# Ours: shown as asked, drawn again to the byte
draw=("$bin" generate --model "$repo" --prompt "a cat, asleep" --negative dogs --profile Watercolor --size 64x72 --steps 2
    --guidance 4.6 --guidance-rescale 0.1 --scheduler "dpm++ 2m karras" --rng torch-cuda --seed 18446744073709551615 --vae-tile 64)
"${draw[@]}" --output-dir ours >/dev/null 2>&1
one=$(echo ours/2*.png)
expect "ours" 0 "Styled prompt" "$bin" show "$one"
grep -q '^  Prompt  *a cat, asleep$' out && ok "as it was asked" || bad "as it was asked"
cp "$one" p/ours.png
says ours.png '{"source": "sdxl-lab", "prompt": "a cat, asleep", "negative": "dogs", "steps": 2, "guidance": 4.6, "seed": "18446744073709551615",
  "width": 64, "height": 72, "sampler": "DPM++ 2M", "schedule": "Karras"}'
rm p/ours.png
again() { # NAME FLAGS...: the same picture, byte for byte
    local name=$1
    shift
    rm -rf again
    "$bin" generate --from "$@" --output-dir again >out 2>err
    cmp -s "$(echo again/2*.png)" "$one" && ok "$name" || bad "$name"
}
again "from ours without changes" "$one"
mkdir folder
again "by a path from elsewhere" "folder/../$one"
printf 'from: %s\noutput_dir: again\n' "$one" >job.yaml
rm -rf again
"$bin" generate --job job.yaml >out 2>err
cmp -s "$(echo again/2*.png)" "$one" && ok "from a job file" || bad "from a job file"
rm -rf again
env HEADLESS=1 FROM_IMAGE_PATH="$one" OUTPUT_DIR=again "$bin" >out 2>err
cmp -s "$(echo again/2*.png)" "$one" && ok "from the environment" || bad "from the environment"
"$bin" generate --init-image "$source/tests/data/models/pipeline/init.png" --model "$repo" --prompt fox --steps 3 \
    --strength 0.7 --seed 3 --size 64x64 --output-dir init >/dev/null 2>&1
one=$(echo init/2*.png)
again "from one that started from a picture" "$one"
one=$(echo ours/2*.png)
asked() { # FLAGS...: "KEY=VALUE ..." of the first picture as --json has it
    "$bin" generate --from "$@" --output-dir asked --json >out 2>err
}
has() { # NAME TEXT...: all in the answer
    local name=$1 text
    shift
    for text; do grep -qF -- "$text" out || { bad "$name: no $text"; return; }; done
    ok "$name"
}
asked "$one" --seed 8 --steps 3 --prompt "a dog"
has "the command line comes before it" '"seed": "8"' '"steps": 3' '"prompt": "a dog"' '"profile": "Watercolor"' '"guidance": 4.6'
printf 'from: %s\nsteps: 1\nguidance: 2\n' "$one" >job.yaml
"$bin" generate --job job.yaml --guidance 3 --output-dir asked --json >out 2>err
has "a job file, too, and the command line before that" '"steps": 1' '"guidance": 3.0' '"prompt": "a cat, asleep"'
asked "$one" --sweep seed=1..2
has "swept values" '"seed": "1"' '"seed": "2"' '"steps": 2'
grep -q 'seed counts' err && bad "no warning of what nobody gave" || ok "no warning of what nobody gave"
asked "$one" --width 128
has "one side alone" '"width": 128' '"height": 72'
cp -r "$source/data/profiles.yaml" other.yaml
printf 'Watercolor: {prompt: "in chalk, {prompt}"}\n' >words.yaml
expect "a profile with other words" 0 "has other words now" "$bin" generate --from "$one" --profiles-file words.yaml --output-dir again
rm -rf gone && mkdir gone && cp init/2*.png gone/
cp "$source/tests/data/models/pipeline/init.png" gone/init.png
printf x >>gone/init.png
mv init/jobs_t.log init.log
expect "an init image that is another now" 2 "is another picture now; say another one with --init-image" \
    "$bin" generate --from gone/2*.png --output-dir again
expect "unless it is said" 0 "" "$bin" generate --from gone/2*.png --mode txt2img --size 64x64 --output-dir again

# Others': what maps is drawn, what does not is named
other() { "$bin" generate --model "$repo" --size 64x64 --output-dir asked --json --from "$@" >out 2>err; }
other p/a1111.png --steps 1
has "A1111" '"seed": "1234567890123"' '"scheduler": "DPM++ 2M Karras"' '"guidance": 7.5' '"rng": "torch-cpu"' \
    '"negative": "blurry, lowres"' '"prompt": "a castle, (fog:1.2) \non a hill"' '"prompt_syntax": "a1111"'
cat err >>out
has "what is left out is named" 'the LoRA "pixel-art-xl: 0.8" is left out' 'not taken over: Hires upscale'
other p/a1111-automatic.png --steps 1
has "what is automatic there" '"scheduler": "dpmpp-2m-karras"'
other p/a1111-old.png --steps 1
has "A1111's seeds are a GPU's where it does not say CPU" '"rng": "torch-cuda"' '"scheduler": "Euler a"'
other p/comfy-custom.png --steps 1
has "ComfyUI" '"prompt_syntax": "a1111"' '"seed": "18446744073709551615"' '"scheduler": "euler_ancestral"' '"rng": "torch-cpu"'
grep -q '"euler_ancestral" has no schedule "simple" here' err && ok "a schedule without a counterpart" || bad "a schedule without a counterpart"
other p/invoke.png --steps 1
has "InvokeAI" '"prompt_syntax": "compel"' '"scheduler": "dpmpp_2m-karras"' '"guidance_rescale": 0.5' '"seed": "99"'
other p/fooocus.png --steps 1
has "Fooocus" '"prompt_syntax": "a1111"' '"scheduler": "dpmpp_2m_sde karras"' '"prompt": "a barn"'
other p/fooocus.png --steps 1 --prompt-syntax plain
if grep -q '"prompt_syntax"' out; then bad "unless another syntax is asked for"; else ok "unless another syntax is asked for"; fi
other p/dream.png --steps 1
grep -q 'no sampler of ours is "k_lms"' err && ok "a sampler without a counterpart" || bad "a sampler without a counterpart"
expect "a model that is not here" 5 'its model Juggernaut XL v9 is neither in the list nor in the cache' \
    "$bin" generate --from p/invoke.png --size 64x64
hub=$work/hub/models--her--sdxl
commit=$(printf 'c%.0s' $(seq 40))
mkdir -p "$hub/snapshots" "$hub/blobs" "$hub/refs"
cp -r "$repo" "$hub/snapshots/$commit"
printf %s $commit >"$hub/refs/main"
unet=$hub/snapshots/$commit/unet/diffusion_pytorch_model.safetensors
digest=31e35c80fc$(printf '0%.0s' $(seq 54))
mv "$unet" "$hub/blobs/$digest"
ln -s "../../../blobs/$digest" "$unet"
HF_HUB_CACHE=$work/hub "$bin" generate --from p/a1111.png --size 64x64 --steps 1 --output-dir asked --json >out 2>err
if grep -q '"model_id": "her/sdxl"' out || grep -q 'SDXL Base 1.0' err; then ok "a model by the digest of its file"
else bad "a model by the digest of its file"; fi

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
