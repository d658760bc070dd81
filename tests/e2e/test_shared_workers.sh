#!/bin/bash
# test_shared_workers.sh BINARY SOURCE_DIR - two processes that draw one run directory (resume --share) with
# worker processes, which save by themselves. One stands still, with its workers or without, until the other has
# taken over what it had in hand; then it goes on: no picture twice, on the disk or in the log. Prints "N passed,
# N failed".
bin=$(realpath "$1")
repo=$(realpath "$2")/tests/data/models/repo
. "$(realpath "$2")/tests/e2e/common.sh"
contents() { find "$1" -name '*.png' ! -name 'sheet_*' -exec sha256sum {} + | cut -d' ' -f1 | sort; }
n_drawn() { find "$1" -name '2*.png' | wc -l; }
begin() { exec "$bin" resume "$run" --share "$@"; } # in the background: $! is it
is_sanitized && steps=10 || steps=60
"$bin" generate --prompt "a cat" --model "$repo" --width 64 --height 64 --steps $steps --sweep seed=1..16 --quiet \
    --output-dir slow >/dev/null 2>err
contents slow >slow.txt
lines() { cat workers/jobs_*.log | grep '"status":"XL_OK"' | grep -o '"cells":\[[^]]*' | grep -oE '[0-9a-f]{32}' | sort; }
in_hand() { grep -L -e done -e failed "$run"/.claims/????????????????????????????????.* 2>/dev/null | wc -l; }
for whom in all parent; do
    rm -rf workers
    cp -r slow workers
    run=$(ls -d workers/sweep_*)
    rm -rf "$run"/*.png "$run"/.claims workers/jobs*
    begin --instance still --workers 2 --group 4 --heartbeat 0.05 >/dev/null 2>err.still &
    still=$!
    while [ "$(n_drawn workers)" -lt 1 ] && kill -0 $still 2>/dev/null; do sleep 0.01; done
    stopped=$still
    [ $whom = parent ] || stopped="$still $(cat /proc/$still/task/*/children)"
    kill -STOP $stopped
    had=$(in_hand)
    "$bin" resume "$run" --share --heartbeat 0.2 --instance lives --workers 2 >out 2>err
    code=$?
    kill -CONT $stopped 2>/dev/null
    wait $still
    still=$?
    "$bin" resume "$run" --quiet >/dev/null 2>&1
    [ $code -eq 0 ] && contents workers | cmp -s - slow.txt && ok "workers, $whom stopped with $had in hand: each once" ||
        bad "workers, $whom stopped with $had in hand: exit $code, $(n_drawn workers) pictures; $(cat err)"
    [ "$(lines | wc -l)" -eq 16 ] && [ "$(lines | sort -u | wc -l)" -eq 16 ] && ok "and each in the log once" ||
        bad "in the log: $(lines | wc -l) lines of $(lines | sort -u | wc -l) cells"
    [ $still -eq 0 ] && ok "who stood still ends well" || bad "who stood still: exit $still: $(tail -1 err.still)"
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
