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

# draw NAME PROMPT OPTIONS...: a picture of 12 steps and 256x256 (unless OPTIONS say otherwise) at $work/NAME.png
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

# Relations: ask for both orders, so that neither habit nor backdrop passes for obedience.
draw red_left "a red ball left of a blue ball in a studio" --seed 6
draw red_right "a red ball right of a blue ball in a studio" --seed 6
check "red left of blue" "$(number red_left left_warm)" -gt "$(($(number red_left right_warm) + 15))"
check "red right of blue" "$(number red_right right_warm)" -gt "$(($(number red_right left_warm) + 15))"

# Other sizes: still one red ball on gray, not two or none.
for size in 192x192 384x384 384x256; do
    draw big "a large red ball in the center in a studio" --seed 7 --width "${size%x*}" --height "${size#*x}"
    check "$size: the ball is in the middle" "$(number big mid_r)" -gt "$(($(number big mid_g) + 50))"
    check "$size: and only there" "$(number big chroma)" -lt "$(($(number big mid_r) - $(number big mid_g)))"
    rm -rf "$work/big" "$work/big.png"
done

# Words for flaws: in the prompt they blur, as a negative they do not.
draw sharp "a house in a garden" --seed 8 --negative "blurry, out of focus"
draw soft "a house in a garden, blurry, out of focus" --seed 8
check "blurry is blurred" "$(number soft detail)" -lt "$(($(number sharp detail) * 3 / 4))"

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
