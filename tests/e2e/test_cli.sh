#!/bin/sh
# test_cli.sh BINARY SOURCE_DIR - the command as a person uses it: right calls, wrong calls, Ctrl-C,
# a full disk, a half-downloaded model. Prints a line per check and "N passed, N failed".
set -u
bin=$1
repo=$2/tests/data/models/repo
init=$2/tests/data/models/pipeline/init.png
work=$(mktemp -d)
trap 'chmod -R u+w "$work" 2>/dev/null; rm -rf "$work"' EXIT
passed=0 failed=0
unset HF_HOME HF_HUB_CACHE HUGGINGFACE_HUB_CACHE XDG_CACHE_HOME
export HOME=$work

ok() { passed=$((passed + 1)); echo "ok   $1"; }
bad() { failed=$((failed + 1)); echo "FAIL $1"; sed 's/^/     /' "$work/err" | head -5; }

# expect NAME CODE TEXT ARGS...: the exit code, and TEXT on stderr in one line (TEXT may be empty)
expect() {
    name=$1 code=$2 text=$3
    shift 3
    "$bin" "$@" >"$work/out" 2>"$work/err" </dev/null
    got=$?
    if [ $got -ne "$code" ]; then bad "$name: exit $got, expected $code"
    elif [ -n "$text" ] && ! grep -qF -- "$text" "$work/err"; then bad "$name: no \"$text\""
    elif [ "$code" -ne 0 ] && [ "$(grep -c . "$work/err")" -ne 1 ]; then bad "$name: not one line"
    else ok "$name"; fi
}
check() { # NAME, then a command that must succeed
    name=$1
    shift
    if "$@" >/dev/null 2>&1; then ok "$name"; else bad "$name"; fi
}

draw="generate --model $repo --prompt cat --width 64 --height 64 --steps 2 --seed 1"

# What works
expect "help explains itself" 0 "" --help
check "the overview names generate" grep -q generate "$work/out"
expect "generate --help" 0 "" generate --help
check "help lists --prompt" grep -q -- --prompt "$work/out"
expect "help on a command" 0 "" help inspect tokens
check "is its help" grep -q "usage: sdxl-lab inspect tokens" "$work/out"
expect "a sweep is called so, too" 0 "" sweep --dry-run --prompt x --model "Lab Tiny XL" --sweep seed=1,2
check "and is planned" grep -q "pictures 2" "$work/out"
expect "help on nothing there is" 2 "is no command" help paint
expect "version" 0 "" --version
expect "a picture" 0 "" $draw --output-dir "$work/a" --json
check "json names the picture" grep -q '"path"' "$work/out"
pictures() { ls "$1" | grep -c '[.]png$'; }
check "one picture is there" test "$(pictures "$work/a")" -eq 1
check "and a job log" grep -q '"seeds": *\["1"\]' $work/a/jobs*.log
check "it is a PNG with its parameters" grep -q "Steps: 2, Sampler: Euler" "$work/a"/*.png
expect "the same picture again" 0 "" $draw --output-dir "$work/b" --threads 1
check "same seed, same bytes" sh -c "cmp $work/a/*.png $work/b/*.png"
expect "another seed" 0 "" $draw --seed 2 --output-dir "$work/c"
check "another seed, another picture" sh -c "! cmp -s $work/a/*.png $work/c/*.png"
expect "two pictures" 0 "" $draw --batch 2 --output-dir "$work/d"
check "two files" test "$(pictures "$work/d")" -eq 2
expect "image to image" 0 "" $draw --init-image "$init" --strength 0.6 --output-dir "$work/e"
expect "a strength below one step is clamped and said" 0 "one step was run" \
    $draw --init-image "$init" --strength 0.01 --output-dir "$work/e"
long=$(printf 'word %.0s' $(seq 200))
expect "a long prompt is cut and said" 0 "too long" generate --model "$repo" --prompt "$long" \
    --width 64 --height 64 --steps 1 --output-dir "$work/e"
expect "so is a long negative prompt" 0 "the negative prompt is too long" generate --model "$repo" --prompt cat \
    --negative "$long" --width 64 --height 64 --steps 1 --output-dir "$work/e"
expect "forms of other tools are drawn as words, and said" 0 '"(cat:1.2)" and "BREAK" in prompts' \
    generate --model "$repo" --prompt "(cat:1.2) BREAK a (small) dog" --width 64 --height 64 --steps 1 \
    --output-dir "$work/e"
expect "an awkward prompt" 0 "" generate --model "$repo" --width 64 --height 64 --steps 1 \
    --output-dir "$work/f" --prompt "$(printf '../../\033[31m "x" $(id)\nzwei\n')"
check "stays in the folder" test "$(pictures "$work/f")" -eq 1
expect "inspect model" 0 "" inspect model --model "$repo"
expect "inspect tokens" 0 "" inspect tokens --model "$repo" --prompt "a cat"
expect "inspect schedule" 0 "" inspect schedule --model "$repo" --steps 5
expect "inspect noise" 0 "" inspect noise --seed 1 --count 5 --json

# What is refused
expect "unknown command" 2 "no command" paint
expect "unknown option" 2 "did you mean --prompt" generate --promt cat
SDXL_LAB_SHARE=$work expect "no model" 5 "--model: missing" generate --prompt cat
expect "no prompt" 2 "--prompt: missing" generate --model "$repo"
expect "value missing" 2 "--steps: expected N after it" generate --steps
expect "a bare word" 2 "needs quotes" generate --model "$repo" --prompt a cat
expect "steps 0" 2 "--steps" $draw --steps 0
expect "guidance nan" 2 "--guidance" $draw --guidance nan
expect "negative strength" 2 "--strength" $draw --strength -1
expect "width not a multiple" 2 "multiple of 8" $draw --width 65
expect "absurd size" 2 "--width" $draw --width 1000000
expect "too many pixels" 2 "megapixels" $draw --width 16384 --height 16384
expect "unknown scheduler" 2 "euler" $draw --scheduler warp
expect "unknown device" 2 "no device" $draw --device warp --sweep seed=1,2 --output-dir "$work/warp"
check "and no run is begun" test ! -e "$work/warp"
unset CUDA_VISIBLE_DEVICES
expect "a GPU that is not here" 4 "" $draw --device cuda:63 --output-dir "$work/gpu"
check "and why is told" grep -qE "CUDA|GPU|driver" "$work/err"
export CUDA_VISIBLE_DEVICES=
expect "GPUs that are hidden" 4 "" $draw --device cuda --output-dir "$work/gpu"
check "and why that is" grep -qE "CUDA|driver" "$work/err"
check "and nothing is drawn" sh -c "! ls '$work/gpu' 2>/dev/null | grep -q png"
expect "f16 on a CPU" 2 "use --dtype bf16 or f32" $draw --device cpu --dtype f16 --output-dir "$work/gpu"
expect "f8 on a CPU" 2 "f8 needs a GPU of compute capability 9.0 or later" $draw --device cpu --dtype f8 \
    --output-dir "$work/gpu"
expect "init image missing" 2 "nowhere.png" $draw --init-image "$work/nowhere.png"
echo "no picture" >"$work/text.png"
expect "init image is text" 2 "text.png" $draw --init-image "$work/text.png"
expect "model not cached" 5 "nobody/nothing" generate --model nobody/nothing --prompt cat
expect "a folder that is no model" 5 "model_index.json" generate --model "$work" --prompt cat
printf x >"$work/file"
expect "output dir is a file" 6 "$work/file" $draw --output-dir "$work/file"
if [ "$(id -u)" -ne 0 ]; then
    mkdir "$work/ro" && chmod 555 "$work/ro"
    expect "output dir not writable" 6 "$work/ro" $draw --output-dir "$work/ro"
fi

# A model with a file missing or cut short: named, exit 5
for file in model_index.json unet/config.json vae/diffusion_pytorch_model.safetensors \
    text_encoder_2/model.safetensors tokenizer/vocab.json scheduler/scheduler_config.json; do
    rm -rf "$work/m" && cp -r "$repo" "$work/m" && rm "$work/m/$file"
    base=$(basename "$file")
    [ "$file" = tokenizer/vocab.json ] && base=tokenizer
    [ "$base" = model.safetensors ] && base=text_encoder_2
    expect "without $file" 5 "${base%.safetensors}" generate --model "$work/m" --prompt cat
done
rm -rf "$work/m" && cp -r "$repo" "$work/m"
head -c 100000 "$repo/unet/diffusion_pytorch_model.safetensors" \
    >"$work/m/unet/diffusion_pytorch_model.safetensors"
expect "a truncated file" 5 "diffusion_pytorch_model.safetensors" \
    generate --model "$work/m" --prompt cat

# A full disk: a sentence, exit 6, nothing half-written
mkdir "$work/full"
(ulimit -f 1 && exec "$bin" $draw --output-dir "$work/full") >"$work/out" 2>"$work/err"
code=$?
[ $code -eq 6 ] && ok "no room: exit 6" || bad "no room: exit $code"
check "no room: no picture and no torn file" test -z "$(ls -A "$work/full" | grep -v '^[.]*jobs')"

# Ctrl-C: out within moments, 130, nothing half-written
mkdir "$work/int"
"$bin" $draw --steps 1000 --width 512 --height 512 --output-dir "$work/int" \
    >"$work/out" 2>"$work/err" &
pid=$!
sleep 1
kill -INT $pid
wait $pid
code=$?
[ $code -eq 130 ] && ok "Ctrl-C: exit 130" || bad "Ctrl-C: exit $code"
check "Ctrl-C: no picture and no torn file" test -z "$(ls -A "$work/int" | grep -v '^[.]*jobs')"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
