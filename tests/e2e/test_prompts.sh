#!/bin/bash
# test_prompts.sh BINARY SOURCE_DIR - prompts in each syntax as a person asks for them: pictures, records,
# refusals, sweeps, workers, records of A1111, and what inspect tokens shows. Prints "N passed, N failed".
set -u
bin=$(realpath "$1") source=$(realpath "$2")
. "$source/tests/e2e/common.sh"
repo=$source/tests/data/models/repo
export INSTANCE_ID=prompts
draw() { # OUTPUT_DIR OPTION...
    local dir=$1
    shift
    "$bin" generate --model "$repo" --size 64x64 --steps 4 --seed 5 --dtype f32 --output-dir "$dir" "$@"
}
equal() { cmp -s "$(one "$1")" "$(one "$2")"; } # record and all

# The syntax decides pixels, its default changes no id
expect "plain" 0 "--prompt-syntax a1111 or compel reads weights" draw plain --prompt "a (cat:1.5)"
expect "a1111" 0 "" draw a1111 --prompt "a (cat:1.5)" --prompt-syntax a1111
check "without a warning" sh -c "! grep -q warning err"
expect "by the environment" 0 "" env PROMPT_SYNTAX=a1111 PROMPT="a (cat:1.5)" OUTPUT_DIR=env SIZE=64x64 STEPS=4 \
    SEED=5 MODEL="$repo" "$bin"
has() { grep -aqF -- "$1" "$(one "$2")"; }
check "its record" has '"prompt_syntax":"a1111"' a1111
check "that of the environment, too" has '"prompt_syntax":"a1111"' env
check "and its A1111 text" has 'Emphasis: Original' a1111
check "plain has neither" sh -c "! grep -aqE 'prompt_syntax|Emphasis' $(one plain)"
printf '%s\n' "model: $repo" "prompt: a (cat:1.5)" "prompt_syntax: a1111" "size: 64x64" "steps: 4" "seed: 5" \
    "dtype: f32" "output_dir: job" >job.yaml
expect "by a job file" 0 "" "$bin" generate --job job.yaml
check "is the same picture" equal a1111 job
printf 'name,prompt,negative_prompt\nBold,"{prompt}, (bold:1.4)",[thin]\n' >styles.csv
expect "styles of A1111 have weights" 0 "" "$bin" profiles import styles.csv
expect "which are read in its syntax" 0 "" draw style --prompt cat --profile Bold --prompt-syntax a1111
check "without a warning" sh -c "! grep -q warning err"
expect "as if they had been written" 0 "" draw written --prompt "cat, (bold:1.4)" --negative "[thin]" --prompt-syntax a1111
if command -v python3 >/dev/null; then
    check "the picture is the same" same "$(one style)" "$(one written)"
fi
expect "explicit defaults" 0 "" draw default --prompt "a (cat:1.5)" --prompt-syntax plain --clip-skip 2
check "are no other picture" equal plain default
expect "clip skip" 0 "" draw skip --prompt "a cat" --clip-skip 1
check "in the A1111 text" has 'Clip skip: 1,' skip
expect "too much of it" 2 "expected 1 (the last layer) to 3" draw bad --prompt "a cat" --clip-skip 4
expect "another syntax" 2 "prompt-syntax" draw bad --prompt "a cat" --prompt-syntax comfy

# Compel, and who draws makes no difference
expect "compel" 0 "" draw compel --prompt '("a cat+", "(a dog)0.5").blend(1, 0.5)' --prompt-syntax compel
expect "by a worker" 0 "" draw worker --prompt '("a cat+", "(a dog)0.5").blend(1, 0.5)' --prompt-syntax compel --workers 1
check "is the same" equal compel worker
expect "a swap" 0 ".swap() is left out" draw swap --prompt 'a cat.swap(dog)' --prompt-syntax compel

# Long and hostile texts
long=$(printf 'x%.0s' $(seq 100000))
expect "100000 characters" 2 "more than 32 chunks" draw bad --prompt "$long" --prompt-syntax a1111
expect "as compel" 2 "more than 32 chunks" draw bad --prompt "$long" --prompt-syntax compel
expect "as plain" 0 "were cut off (75 fit)" draw cut --prompt "$long"
expect "unbalanced" 0 "is not closed: it reaches to the end" draw unbalanced --prompt "((a [b:(c (" --prompt-syntax a1111
for text in "(word:1e9)" "(word:nan)" "(:1.2)" "(a:0)" "(a:-1)" "" "   " "a) b]" "[a|]" "()" "BREAK"; do
    expect "drawn: '$text'" 0 "" draw odd --prompt "$text" --prompt-syntax a1111 --steps 1
done
for text in "(a)0 b" "(a)-1" "()+" '""' "   " "a++++++++"; do
    expect "drawn by compel: '$text'" 0 "" draw odd --prompt "$text" --prompt-syntax compel --steps 1
done
expect "a weight beyond all" 2 "a weight of 1e+11, expected -1000 to 1000" draw bad --prompt "(a:99999999999)" --prompt-syntax a1111
expect "one of compel's" 2 "a weight of 1e+11, expected -1000 to 1000" draw bad --prompt "(a)99999999999" --prompt-syntax compel
expect "nested deep" 2 "within each other" draw bad --prompt "$(printf '(%.0s' $(seq 300))" --prompt-syntax a1111
check "nothing was drawn of those" test ! -e bad/2*.png

# A sweep puts pictures of all lengths together; each is as it would be alone
"$bin" generate --model "$repo" --size 64x64 --steps 4 --seed 5 --dtype f32 --prompt-syntax a1111 --group 4 --output-dir sweep \
    --sweep "prompt=(a:1.3),$(printf 'x%.0s' $(seq 90)),[b|c] d,e BREAK f" --quiet >out 2>err
check "a sweep of lengths" test "$(ls sweep/*/2*.png | wc -l)" -eq 4
expect "one of them alone" 0 "" draw alone --prompt "e BREAK f" --prompt-syntax a1111
if command -v python3 >/dev/null; then
    of_sweep=$(for f in sweep/*/2*.png; do pixels "$f"; done)
    check "has the same pixels" grep -qx "$(pixels "$(one alone)")" <<<"$of_sweep"
fi

# A sweep calls defaults by their names
axes=(--sweep prompt-syntax=plain,a1111 --sweep clip-skip=2,1 --prompt "a (cat:1.2)" --size 64x64 --steps 1 --seed 5)
expect "a dry run" 0 "prompt syntax plain" "$bin" generate --model "$repo" "${axes[@]}" --dry-run
check "says the layer that is usual" grep -q "clip skip 2" out
check "and nothing of none" sh -c "! grep -qw none out"
expect "a run of it" 0 "prompt syntax plain, clip skip 2" "$bin" generate --model "$repo" "${axes[@]}" --output-dir names
check "names of files" test -n "$(echo names/sweep*/*_prompt-syntax-a1111-clip-skip1_*.png)"
check "its page knows them" grep -q '"caption":"Prompt syntax","absent":"plain"' names/sweep*/cells.js

# inspect tokens
expect "tokens of steps" 0 '"last_step": 15' "$bin" inspect tokens --model "$repo" --prompt "[a:(b:1.2):0.5]" --prompt-syntax a1111
check "with weights" grep -q "1.2000000476837158" out
expect "tokens of a blend" 0 '"weight": 0.5' "$bin" inspect tokens --model "$repo" --prompt '("a","b").blend(1,0.5)' --prompt-syntax compel
member() { python3 -c 'import json, sys; print(json.load(open("out"))[0][sys.argv[1]])' "$1"; }
count() { # TOKENS CHUNKS CUT: what was counted
    [ "$(member tokens) $(member chunks) $(member cut)" = "$*" ]
}
if command -v python3 >/dev/null; then
    tokens=("$bin" inspect tokens --model "$repo" --lora none --vae none --prompt)
    expect "tokens of a long one" 0 "" "${tokens[@]}" "$(printf 'x %.0s' {1..80})end"
    check "are counted, and what is cut" count 83 1 8
    check "is told" grep -q '"cut_text": "x x x x x end"' out
    expect "by A1111's syntax" 0 "" "${tokens[@]}" "$(printf 'x %.0s' {1..80})<lora:any:0.5>" --prompt-syntax a1111
    check "nothing is cut, and tags are no text" count 80 2 0
    expect "two prompts of compel" 0 "" "${tokens[@]}" '("a", "b c").and()' --prompt-syntax compel
    check "are two chunks" count 2 2 0
    expect "of a step" 0 '"last_step": 2' "${tokens[@]}" "[a:b:0.5]" --prompt-syntax a1111 --steps 4
fi
expect "a name of the list" 0 '"tokens": 2' "$bin" inspect tokens --model "lab tiny xl turbo" --prompt "a cat"
expect "its model" 0 "LoRA turbo: text encoders 1, UNet 1" "$bin" inspect model --model "Lab Tiny XL Turbo"
expect "another LoRA of it" 0 '"unet_scale": 0.5' "$bin" inspect model --model "Lab Tiny XL" --lora stained-glass:0.7:0.5 --json
expect "another VAE" 0 "tests/data/models/repo/vae/" "$bin" inspect model --model "$repo" --vae "$repo/vae"
expect "a LoRA that is nowhere" 5 "nowhere" "$bin" inspect model --model "$repo" --lora nowhere
expect "the schedule of a name" 0 "LCM" "$bin" inspect schedule --model "Lab Tiny XL Turbo" --scheduler lcm --steps 4
expect "plain ones as ever" 0 '"ids_1"' "$bin" inspect tokens --model "$repo" --prompt "(a:1.2)"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
