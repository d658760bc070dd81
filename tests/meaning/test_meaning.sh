#!/bin/sh
# test_meaning.sh BINARY PICTURE_STATS SOURCE_DIR - what the embedded model draws: named colours are
# there, monochrome profiles have none, seeds and prompts differ, the same seed is the same picture.
# Prints a line per check and "N passed, N failed".
set -u
bin=$1 stats=$2 source=$3
model=$source/models/lab-tiny-xl
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0
unset HF_HOME HF_HUB_CACHE HUGGINGFACE_HUB_CACHE XDG_CACHE_HOME XDG_CONFIG_HOME
export HOME=$work SDXL_LAB_SHARE=$source/data

# draw NAME PROMPT OPTIONS...: a picture of 12 steps at $work/NAME.png
draw() {
    name=$1 prompt=$2
    shift 2
    "$bin" generate --model "$model" --prompt "$prompt" --steps 12 --guidance 5 --width 256 --height 256 \
        --output-dir "$work/$name" "$@" >"$work/out" 2>"$work/err" </dev/null
    mv "$work/$name"/*.png "$work/$name.png" 2>/dev/null || sed 's/^/     /' "$work/err" | head -5
}
# number NAME FIELD [OTHER]: one of picture_stats' numbers
number() { "$stats" "$work/$1.png" ${3:+"$work/$3.png"} | sed -n "s/^$2=//p"; }
# check NAME A TEST B: as test(1)
check() {
    if [ -n "$2" ] && [ -n "$4" ] && [ "$2" "$3" "$4" ]; then
        passed=$((passed + 1)) && echo "ok   $1"
    else
        failed=$((failed + 1)) && echo "FAIL $1: $2 $3 $4"
    fi
}

# Colours. The margins are far below what the model gives (see its card) and far above chance.
draw red "a large red ball in the center in a studio" --seed 1
draw blue "a large blue ball in the center in a studio" --seed 1
draw green "a large green ball in the center in a studio" --seed 1
check "a red ball is red, not green" "$(number red mid_r)" -gt "$(($(number red mid_g) + 50))"
check "a red ball is red, not blue" "$(number red mid_r)" -gt "$(($(number red mid_b) + 50))"
check "a blue ball is blue, not red" "$(number blue mid_b)" -gt "$(($(number blue mid_r) + 50))"
check "a green ball is green, not red" "$(number green mid_g)" -gt "$(($(number green mid_r) + 30))"

# Settings
draw night "a house in a meadow at night" --seed 2
draw day "a house in a meadow during the day" --seed 2
night=$(($(number night r) + $(number night g) + $(number night b)))
day=$(($(number day r) + $(number day g) + $(number day b)))
check "night is darker than day" "$night" -lt "$((day - 90))"
draw sea "a boat underwater" --seed 3
check "water is blue" "$(number sea b)" -gt "$(($(number sea r) + 40))"

# Profiles
for profile in "Black & White" "Ink & Screentone Manga" "Pencil Sketch"; do
    draw grey "a red apple in a garden" --seed 4 --profile "$profile"
    check "$profile has no colour" "$(number grey chroma)" -lt 16
    rm -rf "$work/grey" "$work/grey.png"
done
draw raw "a red apple in a garden" --seed 4
check "without it there is colour" "$(number raw chroma)" -gt 40
draw print "a red apple in a garden" --seed 4 --profile "ISOTOPIA Sci-Fi Blueprint"
check "a blueprint is blue" "$(number print b)" -gt "$(($(number print r) + 40))"

# Seeds
draw again "a red apple in a garden" --seed 4
draw other "a red apple in a garden" --seed 5
check "the same seed is the same picture" "$(number raw difference again)" -eq 0
check "another seed is another picture" "$(number raw difference other)" -gt 800

# Image to image
draw near "a red apple in a garden" --seed 9 --init-image "$work/raw.png" --strength 0.3
draw far "a blue boat on the sea" --seed 9 --init-image "$work/raw.png" --strength 0.9
check "little strength stays near" "$(number raw difference near)" -lt "$(($(number raw difference far) - 400))"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
