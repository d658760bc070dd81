#!/bin/bash
# test_signs.sh BINARY SHIM SOURCE_DIR - signs of life: lines in logs, the line on terminals of any
# width, what --verbose adds, and how a run ends whose terminal is closed. Prints "N passed, N failed".
set -u
bin=$(realpath "$1") shim=$(realpath "$2") repo=$(realpath "$3/tests/data/models/repo") init=$(realpath "$3/tests/data/models/pipeline/init.png")
export TERM=xterm # what a person has; nobody's may be "dumb", which is drawn on in another way
. "$(dirname "$0")/common.sh"
export INSTANCE_ID=t
draw=("$bin" generate --model "$repo" --prompt "a cat" --width 64 --height 64 --threads 1)
# run ARGUMENTS...: standard output in out, standard error in err
run() { "${draw[@]}" "$@" >out 2>err </dev/null; }
lines() { grep -c -e "$1" err; }

# ---- Without a terminal ----
run --seed 1 --steps 1 --output-dir o
check "one picture that is soon there: nothing is said" test ! -s err
run --seed 1 --steps 1 --verbose --output-dir o
check "with --verbose it is" test "$(lines '^sdxl-lab: drawing: ')" -eq 1
run --sweep seed=1..3 --sweep steps=1,2 --output-dir o
check "a sweep: its model" test "$(lines '^sdxl-lab: loading repo$')" -eq 1
check "a sweep: each picture, and what differs" test "$(lines '^sdxl-lab: drawing picture [1-6] of 6: seed [123], steps [12]$')" -eq 6
check "a sweep: nothing else" test "$(wc -l <err)" -eq 7
check "paths are on standard output" test "$(grep -c '\.png$' out)" -eq 6
run --steps 1 --sweep seed=1..4 --group 4 --output-dir o
check "pictures that are drawn together" grep -qx 'sdxl-lab: drawing pictures 1-4 of 4' err
run --steps 1 --sweep seed=1..3 --workers 2 --output-dir o
check "workers: each picture" test "$(lines '^sdxl-lab: drawing picture [123] of 3: seed')" -eq 3
check "workers: their models" test "$(lines '^sdxl-lab: loading ')" -ge 1
run --steps 1 --sweep seed=1..2 --quiet --output-dir o
check "--quiet" test ! -s err
run --steps 1 --sweep seed=1..2 --json --output-dir o
check "--json: one document on standard output" sh -c "python3 -c 'import json; json.load(open(\"out\"))' && grep -q 'drawing picture 2 of 2' err"
PROMPT=x MODEL_KEY=$repo WIDTH=64 HEIGHT=64 STEPS=1 OUTPUT_DIR=o "$bin" >out 2>err </dev/null
check "from the environment: the picture" grep -q '^sdxl-lab: drawing: ' err
if ! is_sanitized; then
    # A second takes ten minutes: no more than a line a minute, with the step and the time left.
    LD_PRELOAD=$shim XL_FAULT_CLOCK=600 run --sweep seed=1,2 --steps 60 --width 192 --height 192 --output-dir o
    check "once a minute" grep -qE '^sdxl-lab: step [0-9]+ of 60, [0-9: s]+ left; picture [12] of 2' err
    check "once a minute: what is left of all" grep -qE 'picture 2 of 2, [0-9:]+( s)? left in all$' err
fi

# ---- More of it ----
run --seed 1 --verbose --init-image "$init" --strength 0.5 --steps 4 --output-dir o
check "--verbose: what is loaded from where" grep -qE "^sdxl-lab: repo: opened in [0-9.]+ s, from $repo" err
check "--verbose: how long weights took" grep -qE 'GB of weights loaded in [0-9.]+ s$' err
check "--verbose: the init image" grep -qE "^sdxl-lab: init image $init: [0-9]+x[0-9]+$" err
check "--verbose: its strength" grep -qE 'init image (fits|resized to) 64x64; strength 0.5 of 4 steps: 2 evaluations' err
run --seed 1 --verbose --workers 1 --init-image "$init" --strength 0.5 --steps 4 --output-dir o
check "--verbose: of workers, too" grep -q 'strength 0.5 of 4 steps: 2 evaluations' err
run --prompt x --width 320 --height 320 --steps 1 --batch 2 --group 2 --max-memory 0.008 --verbose --output-dir o
check "--verbose: attempts when memory is short" grep -qE '^sdxl-lab: memory: 320x320, 2 together: [0-9.]+ GB more than there is; next: 320x320, 2 together, VAE in tiles of 160$' err
check "--verbose: and the next" grep -qE '^sdxl-lab: memory: 320x320, 2 together, VAE in tiles of 160: .*; next: 320x320, VAE in tiles of 160$' err

# ---- On terminals ----
# show COLUMNS: the states of the line, one a line, in frames
show() {
    script -qec "stty cols $1; ${draw[*]@Q} --steps 40 --width 192 --height 192 --sweep seed=1..2 --sweep 'prompt=a red fox in the snow,日本語の狐の絵をください' --output-dir o" /dev/null </dev/null |
        tr '\r' '\n' | sed 's/\x1b\[K//' | grep -v '^sdxl-lab: ' | grep -E 'step |loading|decoding|prompt ' >frames
}
if command -v script >/dev/null; then
    for columns in 80 60 40; do
        show $columns
        check "$columns columns: the step" grep -qE '[1-4]/4 .*step [0-9]+/40' frames
        check "$columns columns: the time left" grep -qE 'step [0-9]+/40, [0-9]+ s left' frames
        check "$columns columns: none is exceeded" python3 -c "
import unicodedata
for line in open('frames', encoding='utf-8'):
    width = sum(2 if unicodedata.east_asian_width(c) in 'WF' else 1 for c in line.rstrip('\n'))
    assert width < $columns, line"
        [ $columns -ne 80 ] || check "80 columns: which picture" grep -qE 'step [0-9]+/40, .* 日本語の狐' frames
    done
    script -qec "TERM=dumb ${draw[*]@Q} --steps 1 --sweep seed=1,2 --output-dir o" /dev/null </dev/null >dumb
    check "a terminal that cannot be drawn over has lines" grep -q 'drawing picture' dumb
else
    echo "skip terminals: there is no script(1)"
fi

# ---- Its end ----
# interrupt SIGNAL...: a sweep that is told to end; its exit code in $got
interrupt() {
    rm -rf i out
    "${draw[@]}" --steps 30 --width 256 --height 256 --sweep seed=1..50 --output-dir i >out 2>err &
    local pid=$!
    while ! grep -qs '\.png$' out && kill -0 $pid 2>/dev/null; do sleep 0.05; done
    for signal; do kill -"$signal" $pid; done
    wait $pid
    got=$?
}
interrupt HUP
check "SIGHUP ends a run ($got)" test $got -eq 129
check "with its summary" grep -qE '^[0-9]+ drawn, [0-9]+ left, of 50' out
check "and how to go on" grep -q '^go on    sdxl-lab resume i/sweep_' out
interrupt HUP HUP
check "as closing a terminal does, twice ($got)" test $got -eq 129
check "with its summary all the same" grep -q ' drawn' out
interrupt TERM INT
# Which of the two comes first is the system's choice; a run that ends in its own way has a summary.
check "a second signal of another kind ends at once ($got)" \
    sh -c "{ [ $got -eq 130 ] || [ $got -eq 143 ]; } && ! grep -q ' drawn' out"
rm -f out
(
    trap '' HUP
    exec "${draw[@]}" --sweep seed=1..3 --steps 20 --width 128 --height 128 --output-dir h >out 2>err
) &
pid=$!
while ! grep -qs '\.png$' out && kill -0 $pid 2>/dev/null; do sleep 0.05; done
kill -HUP $pid
wait $pid
check "not under nohup ($?)" grep -q '^3 drawn, of 3' out

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
