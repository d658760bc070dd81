#!/bin/bash
# test_defects.sh BINARY SOURCE_DIR - what went wrong in the app that this lab continues, one check a
# defect (the numbers are those of its list), so that none of it comes back. Prints "N passed, N failed".
set -u
bin=$(realpath "$1")
repo=$(realpath "$2/tests/data/models/repo")
init=$(realpath "$2/tests/data/models/pipeline/init.png")
. "$(dirname "$0")/common.sh"
export INSTANCE_ID=t
small="--model $repo --width 64 --height 64 --steps 1"
count() { ls "$1"/*.png 2>/dev/null | wc -l; }

# 1 An update lost models, profiles and the fallback when memory is short.
check "1 ten models" sh -c "[ \$('$bin' models list --json | grep -c '\"repository\"') -ge 10 ]"
check "1 twenty-eight profiles and the raw one" sh -c "[ \$('$bin' generate $small --prompt x --all-profiles --dry-run | grep -c ' steps ') -eq 29 ]"
"$bin" generate --model "$repo" --width 320 --height 320 --steps 1 --prompt x --max-memory 0.008 --output-dir d1 >/dev/null 2>&1
check "1 smaller when memory is short" grep -q '"fallback": *".*instead of 320x320' d1/jobs_t.log
# 2 HEADLESS=1 was ignored; only "true" counted.
check "2 HEADLESS=1" env HEADLESS=1 PROMPT=x MODEL="$repo" WIDTH=64 HEIGHT=64 STEPS=1 OUTPUT_DIR=d2 "$bin"
check "2 drew" test "$(count d2)" -eq 1
# 3 No image to image without the page.
check "3 img2img headless" env MODE=img2img INIT_IMAGE_PATH="$init" IMG2IMG_STRENGTH=0.9 PROMPT=x MODEL_KEY="$repo" \
    WIDTH=64 HEIGHT=64 STEPS=2 OUTPUT_DIR=d3 "$bin"
check "3 is img2img" grep -q '"mode": *"img2img"' d3/jobs_t.log
# 4 Exit code 0 although every picture failed.
"$bin" generate $small --prompt x --max-memory 0.001 --oom fail --sweep seed=1..3 --output-dir d4 >/dev/null 2>&1
code=$?
check "4 exit code of a failed sweep ($code)" test $code -eq 3
# 5 Seed -1 was drawn once, then reused as if it had been asked for.
"$bin" generate $small --prompt x --seed -1 --batch 3 --output-dir d5 >/dev/null 2>&1
"$bin" generate $small --prompt x --seed -1 --output-dir d5 >/dev/null 2>&1
check "5 four seeds" sh -c "[ \$(ls d5 | grep -o 'seed[0-9]*' | sort -u | wc -l) -eq 4 ]"
check "5 the log has what was drawn" sh -c "for s in \$(ls d5 | grep -o 'seed[0-9]*' | tr -d a-z); do grep -q \"[^0-9]\$s[^0-9]\" d5/jobs_t.log || exit 1; done"
# 6 The variant fp16 was asked of every repository. (This one has plain names.)
check "6 no variant" sh -c "! ls $repo/unet | grep fp16"
check "6 draws all the same" "$bin" generate $small --prompt x --output-dir d6
# 7 Offline, it tried the network when the local load failed. (test_download traces that no socket is made.)
check "7 a model that is not there ends at once" sh -c "HF_HUB_OFFLINE=1 timeout 5 '$bin' generate --model nobody/nothing --prompt x; [ \$? -eq 5 ]"
# 8 It listened on every address.
check "8 a server for others wants a token" sh -c "'$bin' serve --bind 0.0.0.0 --port 0 --output-dir d8; [ \$? -eq 2 ]"
# 9 No metadata in the pictures.
check "9 A1111's text" grep -aq "Steps: 1, Sampler: " d6/*.png
check "9 the whole record" grep -aq '"cell":"' d6/*.png
# 10 Failed jobs were not logged.
check "10 the failures of 4 are logged" sh -c "[ \$(grep -c '\"error\": *\"' d4/jobs_t.log) -eq 3 ]"
# 11 Two runs in one second wrote to one name: the model is not in it.
for i in 1 2 3 4; do "$bin" generate $small --prompt x --seed 1 --instance "i$i" --output-dir d11 >/dev/null 2>&1 & done
wait
check "11 four pictures" test "$(count d11)" -eq 4
# 12 The VAE ran out of memory for a batch of six: it decoded all at once.
need() { "$bin" generate --model "$repo" --prompt x --width 256 --height 256 --steps 1 --guidance 1 --batch "$1" \
    --group "$1" --output-dir d12 --max-memory "$2"; }
check "12 a batch of six" need 6 0
check "12 six pictures" test "$(count d12)" -eq 6
# 13 A LoRA stood in the list of models and could not be loaded.
check "13 the LoRA says what it is" sh -c "'$bin' models list | grep 'Pixel Art XL' | grep -q 'lora'"
check "13 a sweep over all models skips it" sh -c "'$bin' generate --prompt x --sweep model=all --dry-run 2>&1 | grep -q 'skipped: .*not cached: .*Pixel Art XL'"
check "13 a sweep over it is refused" sh -c "'$bin' generate $small --prompt x --sweep 'model=Pixel Art XL,$repo' --output-dir d13; [ \$? -eq 5 ] && [ ! -e d13 ]"

# Prompts that break names, logs and terminals
hostile=("$(printf 'two\nlines')" "$(printf '\033[31mred\033[0m \a\b')" "\"quotes\" 'and' \`ticks\` \$(id) %n %s" \
    "../../../etc/passwd" "$(printf '\xf0\x9f\x98\x80%.0s' $(seq 2500))" "$(printf '\xc2\x85\xe2\x80\xae')" "<script>alert(1)</script>" \
    "=cmd|' /C calc'!A0" "con" "$(printf 'a%.0s' $(seq 300))")
for prompt in "${hostile[@]}"; do
    "$bin" generate $small --prompt "$prompt" --seed 1 --output-dir hostile >>out 2>>err
done
check "hostile prompts: a picture each" test "$(count hostile)" -eq ${#hostile[@]}
check "names are plain" sh -c "! ls hostile | grep -v '^[a-z0-9_.-]*$'"
check "the log has a line each" sh -c "[ \$(wc -l <hostile/jobs_t.log) -eq ${#hostile[@]} ] && ! grep -v '^{.*}$' hostile/jobs_t.log"
check "terminals stay clean" sh -c "! LC_ALL=C grep -a '[[:cntrl:]]' out err"
check "nothing is outside" test ! -e "$work/etc" -a ! -e "$work/../etc/passwd_"
"$bin" generate $small --prompt "$(printf 'a \033[31mb')" --sweep "profile=Watercolor,None (raw)" --output-dir page >out 2>err
check "nor in the summary" sh -c "! LC_ALL=C grep -a '[[:cntrl:]]' out err"

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
