#!/bin/bash
# test_shared.sh BINARY SOURCE_DIR - several processes that draw one run directory (resume --share): no
# picture twice, none missing, one killed and one that stands still for a while included; and what keeps
# others out. Prints "N passed, N failed".
bin=$(realpath "$1")
repo=$(realpath "$2")/tests/data/models/repo
. "$(realpath "$2")/tests/e2e/common.sh"
request=(--prompt "a cat" --model "$repo" --width 64 --height 64 --steps 1)
contents() { find "$1" -name '*.png' ! -name 'sheet_*' -exec sha256sum {} + | cut -d' ' -f1 | sort; }
n_drawn() { find "$1" -name '2*.png' | wc -l; }

# plan NAME N: a run directory of N cells of which none is drawn, with its folder's name in $run
plan() {
    "$bin" generate "${request[@]}" --sweep seed=1.."$2" --output-dir "$1" --quiet >/dev/null 2>&1
    run=$(ls -d "$1"/sweep_*)
    rm -f "$run"/*.png "$1"/jobs*
}
share() { "$bin" resume "$run" --share --heartbeat 0.2 "$@"; }
begin() { exec "$bin" resume "$run" --share --heartbeat 0.2 "$@"; } # in the background: $! is it

"$bin" generate "${request[@]}" --sweep seed=1..60 --output-dir whole --quiet >/dev/null 2>err
contents whole >whole.txt
check "60 pictures" [ "$(wc -l <whole.txt)" -eq 60 ]

# --- Three that draw ---
plan three 60
for i in 1 2 3; do begin --instance "p$i" >"out$i" 2>"err$i" & done
wait
check "drawn once, the same bytes" eval 'contents three | cmp -s - whole.txt'
[ "$(cat three/jobs_p*.log | grep -o '"paths":\[[^]]*' | grep -o '[^"]*[.]png' | sort | uniq | wc -l)" -eq 60 ] &&
    [ "$(cat three/jobs_p*.log | wc -l)" -eq 60 ] && ok "each in one log" || bad "each in one log"
[ "$(cat out1 out2 out3 | awk '/^[0-9]+ drawn/ { n += $1 } END { print n }')" -eq 60 ] &&
    ok "each says how many it drew" || bad "each says how many it drew: $(grep -h drawn out?)"
check "the last one has collected" [ ! -e "$run/.claims" ]
check "a page" grep -q '"state":"done"' "$run/cells.js"
check "a sheet" eval 'ls "$run"/sheet_*.png' 
expect "nothing is left" 0 "60 were there" "$bin" resume "$run"

# --- One is killed, one stands still for longer than others wait, one goes on ---
plan wild 60
begin --instance killed >/dev/null 2>&1 &
killed=$!
begin --instance still >/dev/null 2>&1 &
still=$!
while [ "$(n_drawn wild)" -lt 4 ] && kill -0 $killed $still 2>/dev/null; do sleep 0.01; done
kill -KILL $killed
kill -STOP $still
wait $killed 2>/dev/null
share --instance lives >out 2>err
code=$?
kill -CONT $still 2>/dev/null
wait $still
[ $code -eq 0 ] && contents wild | cmp -s - whole.txt && ok "a killed one, and one that stood still" ||
    bad "exit $code, $(n_drawn wild) pictures, $(contents wild | sort -u | wc -l) different"
expect "what they left is brought together" 0 "60 were there" "$bin" resume "$run"
cat wild/jobs_*.log | grep -o '"paths":\[[^]]*' | grep -o '[^"]*[.]png' | sort >logged.txt
[ "$(sort -u logged.txt | wc -l)" -eq 60 ] && ok "every picture is in a log" || bad "in a log: $(sort -u logged.txt | wc -l)"
find wild -name '.*.tmp' | grep -q . && bad "temporary files are left" || ok "no temporary file is left"

# --- Stopping ---
plan stopped 60
begin --instance a >out 2>err &
pid=$!
while [ "$(n_drawn stopped)" -lt 2 ] && kill -0 $pid 2>/dev/null; do sleep 0.01; done
kill -USR1 $pid
wait $pid
code=$?
check "SIGUSR1 ends with the pictures at hand: 75" [ $code -eq 75 ]
expect "and the rest is anybody's" 0 "of 60" share --instance b
check "all drawn once" eval 'contents stopped | cmp -s - whole.txt'

# --- Who is kept out ---
plan shut 60
begin --heartbeat 10 >out.txt 2>&1 &
pid=$!
while [ "$(n_drawn shut)" -lt 1 ] && kill -0 $pid 2>/dev/null; do sleep 0.01; done
kill -STOP $pid
expect "one that wants it alone" 6 "join with resume --share" "$bin" resume "$run"
kill -CONT $pid
wait $pid
expect "an axis more" 2 "extend it first" share --sweep steps=2
expect "not a run directory" 2 "run.json: is not there" "$bin" resume --share "$work"
check "and nothing is made there" [ ! -e "$work/.claims" ]
expect "a dry run" 2 "--dry-run out" share --dry-run

# --- What fails is not tried again by the next, but told ---
mkdir broken && cp -r "$repo" broken/model
"$bin" generate "${request[@]}" --model "$PWD/broken/model" --sweep seed=1..3 --output-dir fails --quiet >/dev/null 2>&1
run=$(ls -d fails/sweep_*)
rm -f "$run"/*.png
unet=broken/model/unet/diffusion_pytorch_model.safetensors
dd if=/dev/zero of="$unet" bs=1 seek=$(($(stat -c %s "$unet") - 200)) count=200 conv=notrunc 2>/dev/null
expect "other weights than planned" 3 "3 of 3 pictures failed" share --instance a
rm -rf broken/model && cp -r "$repo" broken/model
expect "with the right ones it goes on" 0 "3 drawn" "$bin" resume "$run"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
