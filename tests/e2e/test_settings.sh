#!/bin/bash
# test_settings.sh BINARY SOURCE_DIR - the same setting by every way in: command line, environment, job
# file, axis. What a value may look like, what paths mean, which texts are read. Prints a line per check
# and "N passed, N failed".
set -u
bin=$(realpath "$1")
repo=$(realpath "$2/tests/data/models/repo")
init=$(realpath "$2/tests/data/models/pipeline/init.png")
. "$(dirname "$0")/common.sh"
mkdir home here
export HOME=$work/home CONTAINER_NAME=test PICS=$work/pics
cd here || exit 1
small=(MODEL_KEY="$repo" WIDTH=64 HEIGHT=64 STEPS=1 SEED=5)
draw=("$bin" generate --model "$repo" --prompt cat --width 64 --height 64 --steps 1 --seed 5)

# True, false and what is neither
for value in '"1"' maybe '1 ' 2; do
    expect "HEADLESS=$value" 2 "HEADLESS: " env "${small[@]}" PROMPT=cat HEADLESS="$value" "$bin"
    expect "RUN_ALL_MODELS=$value" 2 "RUN_ALL_MODELS: " env "${small[@]}" PROMPT=cat RUN_ALL_MODELS="$value" "$bin"
done
expect "HEADLESS=False does not ask" 124 "http://127.0.0.1:" timeout 8 env HEADLESS=False GRADIO_PORT=0 OUTPUT_DIR=served "$bin"
expect "HEADLESS is nothing to a command" 0 "" env HEADLESS=maybe "${draw[@]}" --output-dir n
expect "nor to help" 0 "usage" env HEADLESS=maybe "$bin" --help
expect "MODE=Txt2Img" 0 "" env "${small[@]}" PROMPT=cat MODE=Txt2Img "$bin" --dry-run
expect "--mode TXT2IMG" 0 "" "${draw[@]}" --mode TXT2IMG --dry-run

# A run is gone on with by --resume, however it comes in; a dry run draws nothing
"${draw[@]}" --sweep seed=1..2 --output-dir r >/dev/null 2>&1
run=$(echo r/sweep_*)
rm "$run"/*seed2*
printf 'resume: %s\ndry_run: true\n' "$run" >dry.yaml
expect "--resume --dry-run" 0 "pictures 1" "$bin" generate --resume "$run" --dry-run
expect "the same with the environment" 0 "pictures 1" env HEADLESS=1 "$bin" --resume "$run" --dry-run
expect "the same with PROMPT" 0 "pictures 1" env "${small[@]}" PROMPT=cat "$bin" --resume "$run" --dry-run
expect "the same in a job file" 0 "pictures 1" "$bin" generate --job dry.yaml
expect "the same in both" 0 "pictures 1" env HEADLESS=1 "$bin" --job dry.yaml
check "nothing was drawn" sh -c "! ls $run/*seed2*"
expect "what would change the pictures, with the environment" 2 "--steps would change them" \
    env HEADLESS=1 "$bin" --resume "$run" --steps 3
expect "the environment of a container stays as it was" 0 "1 drawn, 1 was there" \
    env "${small[@]}" PROMPT=cat "$bin" --resume "$run"

# Hints name what is read in this form, and is not there yet
hints() { # NAME PATTERN: what is on standard error has no such hint
    check "$1" sh -c "! grep -q '$2' err"
}
expect "no prompt" 2 "--prompt: missing" env PROMPT=cat "$bin" generate --model "$repo"
hints "a command does not read PROMPT" PROMPT
expect "no prompt, with the environment" 2 "--prompt (PROMPT): missing" env HEADLESS=1 MODEL="$repo" "$bin"
expect "img2img of nothing" 2 "there is no --init-image;" "${draw[@]}" --mode img2img
hints "nor INIT_IMAGE_PATH" 'INIT_IMAGE\|MODE'
expect "img2img of nothing, with the environment" 2 "--init-image (INIT_IMAGE_PATH)" \
    env "${small[@]}" PROMPT=cat MODE=img2img "$bin"
expect "two grids" 2 "--all-profiles and --all-models exclude" "${draw[@]}" --all-profiles --all-models
hints "nor RUN_ALL_MODELS" RUN_ALL
expect "many pictures" 2 "say --yes (--dry-run tells" "${draw[@]}" --sweep seed=1..9000 --sweep steps=1,2
expect "many pictures of a dry run" 2 "say --yes" "${draw[@]}" --sweep seed=1..9000 --sweep steps=1,2 --dry-run
hints "that is one already" dry-run
expect "no cache" 5 "or set HF_HOME" "$bin" generate --model nobody/nothing --prompt cat
expect "no cache where it was said to be" 5 "not in the Hugging Face cache" \
    env HF_HOME=/nowhere "$bin" generate --model nobody/nothing --prompt cat
hints "that it can be said is no news" "set HF_HOME"

# What people know from elsewhere
for pair in '--cfg-scale 5:--guidance' '--cfg_scale=5:--guidance' '--sampler x:--scheduler' '-p x:--prompt' '-n x:--negative' \
    '--n-iter 2:--batch' '-W 512:--width' '-H512:--height' '-steps=3:--steps' '--negative-prompt x:--negative'; do
    words=${pair%:*}
    expect "${words% *}: ${pair##*:}" 2 "did you mean ${pair##*:}?" "${draw[@]}" $words
done
expect "a key of a job file" 2 'did you mean "guidance"?' sh -c "echo 'cfg_scale: 5' >other.yaml; '$bin' generate --job other.yaml"
expect "an axis" 2 "did you mean guidance?" "${draw[@]}" --sweep cfg_scale=5,6
expect "a prompt without its option" 2 '--prompt "a fox"' "$bin" generate "a fox"
for pair in gen:generate txt2img:generate genrate:generate continue:resume styles:'profiles list' verfy:verify; do
    expect "${pair%%:*}" 2 "did you mean ${pair#*:}?" "$bin" "${pair%%:*}" x
done
expect "a word that nobody knows" 2 "there are generate, resume" "$bin" xyzzy

# The first example of the help works with nothing but the program
sdxl-lab() { "$bin" "$@" --steps 1; }
"$bin" --help | grep -A1 'The first picture' | tail -1 >first
check "the help has a first example" grep -q '^  sdxl-lab generate ' first
expect "which works without a cache" 0 "output_images/" eval "$(cat first)"

# Quotes that came along
expect "quotes around a prompt" 0 'PROMPT: the quotes are part of the text, "a fox"' \
    env "${small[@]}" PROMPT='"a fox"' "$bin" --dry-run
expect "around a negative" 0 "NEGATIVE_PROMPT: the quotes" env "${small[@]}" PROMPT=cat NEGATIVE_PROMPT="'x'" "$bin" --dry-run
expect "not where a flag came before it" 0 "" env "${small[@]}" PROMPT='"a fox"' "$bin" --prompt cat --dry-run
check "no word about them" sh -c "! grep -q quotes err"
expect "nor with --quiet" 0 "" env "${small[@]}" PROMPT='"a fox"' "$bin" --quiet --dry-run
check "no word either" sh -c "! grep -q quotes err"
for pair in STEPS=20 'SIZE=64x64' OUTPUT_DIR=/tmp 'STYLE_PROFILE=Watercolor' MODE=auto INSTANCE_ID=night; do
    expect "quotes around ${pair%%=*}" 2 "${pair%%=*}: the quotes are part of the value" \
        env MODEL_KEY="$repo" PROMPT=cat "${pair%%=*}=\"${pair#*=}\"" "$bin" --dry-run
done

# Paths: "~" and variables
job() { printf 'model: %s\nprompt: cat\nwidth: 64\nheight: 64\nsteps: 1\n' "$repo"; printf '%s\n' "$@"; }
expect "OUTPUT_DIR=~/a" 0 "1 drawn" env "${small[@]}" PROMPT=cat OUTPUT_DIR='~/a' "$bin"
check "is in the home folder" sh -c 'ls "$HOME"/a/*.png'
expect "OUTPUT_DIR to a command" 0 "" env OUTPUT_DIR='~/a2' "${draw[@]}"
check "is there, too" sh -c 'ls "$HOME"/a2/*.png'
job 'output_dir: ~/b' >job.yaml
expect "output_dir: ~/b" 0 "" "$bin" generate --job job.yaml
check "is there, too" sh -c 'ls "$HOME"/b/*.png'
expect '--output-dir=~/c' 0 "" "${draw[@]}" --output-dir='~/c'
check "is there, too" sh -c 'ls "$HOME"/c/*.png'
expect '--output-dir $PICS/d' 0 "" "${draw[@]}" --output-dir '${PICS}/d'
check "is where the variable says" sh -c 'ls "$PICS"/d/*.png'
expect "a variable that is not set" 2 'OUTPUT_DIR: "$NOT_SET/x": $NOT_SET is not set' \
    env "${small[@]}" PROMPT=cat OUTPUT_DIR='$NOT_SET/x' "$bin"
expect "a user who is not there" 2 'there is no user "nobody-of-this-name"' "${draw[@]}" --output-dir '~nobody-of-this-name'
cp "$init" "$HOME/in.png"
expect "an init image" 0 "$HOME/in.png" "${draw[@]}" --init-image='~/in.png' --strength 1 --dry-run --json
expect "on an axis" 0 "$HOME/in.png" "${draw[@]}" --sweep init-image='~/in.png' --strength 1 --dry-run --json
echo 'a dog' >"$HOME/p.txt"
expect "a file of prompts" 0 "a dog" "${draw[@]}" --sweep prompt=@'~/p.txt' --dry-run --json
expect "which is not there" 2 "$HOME/q.txt" "${draw[@]}" --sweep prompt=@'~/q.txt' --dry-run
ln -s "$repo" "$HOME/model"
expect "a model" 0 "model" "$bin" generate --model='~/model' --prompt cat --size 64x64 --steps 1 --dry-run
printf 'Mine:\n  folder: ~/model\n' >models.yaml
expect "a model of an own list" 0 "Mine" "$bin" generate --models-file models.yaml --model Mine --prompt cat \
    --size 64x64 --steps 1 --dry-run
printf 'Mine:\n  folder: $NOT_SET/model\n' >models.yaml
expect "and one that cannot be filled in" 2 "models.yaml:2:11: Mine: folder:" "$bin" generate --models-file models.yaml \
    --model Mine --prompt cat --dry-run
job 'output_dir: ~/e' >"$HOME/job.yaml"
expect "a job file" 0 "" "$bin" generate --job='~/job.yaml' --dry-run
check "no folder is named ~ or \$" sh -c '! ls -d ./~* ./\$*'

# Numbers are written as people write them
expect "a sweep over 0.6 and others" 0 "" "${draw[@]}" --sweep guidance=0.6,0.7,5.3 --guidance-rescale 0.1 --output-dir m
for file in m/sweep_*/run.json m/sweep_*/cells.js m/jobs_*.log; do
    check "$file has 0.6" grep -qE '"guidance(_scale)?": *0\.6[,}]' "$file"
    check "$file has no number of 17 digits" sh -c "! grep -qE '0\.[0-9]*(99999999|00000000)[0-9]' $file"
done
check "and so have pictures" sh -c "grep -aq '\"guidance\":0.6,' m/sweep_*/*.png && grep -aq 'CFG scale: 0.6,' m/sweep_*/*.png"
expect "and a dry run" 0 '"guidance": 0.6' "${draw[@]}" --sweep guidance=0.6,0.7 --dry-run --json
expect "and a range" 0 '"guidance": 0.3' "${draw[@]}" --sweep guidance=0.1:0.5:0.1 --dry-run --json
check "without the rest of the division" sh -c "! grep -q '0\.30000' out"

# From another folder
cp "$init" in.png
expect "a run from an init image and a model of this folder" 0 "2 drawn" sh -c "cp -r '$repo' mine
    '$bin' generate --model ./mine --prompt cat --size 64x64 --steps 2 --init-image in.png --sweep seed=1..2 --output-dir t"
run=$(echo "$PWD"/t/sweep_*)
rm "$run"/*seed2*
expect "goes on from another" 0 "1 drawn, 1 was there" sh -c "cd / && '$bin' resume '$run'"

# Texts
printf '\xef\xbb\xbf# mine\r\na cat\r\n' >bom.txt
expect "a byte order mark" 0 '"a cat"' "${draw[@]}" --sweep prompt=@bom.txt --dry-run --json
check "is no part of a prompt" sh -c "grep -c '\"prompt\"' out | grep -qx 1"
printf '\xff\xfea\0\n\0' >utf16.txt
printf 'a\ncaf\xe9\n' >latin1.txt
expect "UTF-16" 2 "utf16.txt:1:1: the file is UTF-16" "${draw[@]}" --sweep prompt=@utf16.txt --dry-run
expect "Latin-1" 2 "latin1.txt:2:4: the byte 0xE9" "${draw[@]}" --sweep prompt=@latin1.txt --dry-run
expect "as a job file" 2 "latin1.txt:2:4: the byte 0xE9" "$bin" generate --job latin1.txt
latin1=$(printf 'caf\xe9')
for way in "--prompt $latin1" "--prompt x --negative $latin1" "--sweep prompt=a,$latin1"; do
    # shellcheck disable=SC2086
    expect "Latin-1 in ${way%% *}" 2 "the byte 0xE9, character 4, is not UTF-8" "$bin" generate --model "$repo" $way --output-dir latin1
done
expect "Latin-1 in the environment" 2 "PROMPT: the byte 0xE9, character 4" env HEADLESS=1 PROMPT="$latin1" "$bin"
check "draws nothing" test ! -e latin1

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
