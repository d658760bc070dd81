#!/bin/bash
# test_workers.sh BINARY SOURCE_DIR - pictures drawn by worker processes: the bytes of this process;
# workers killed at random moments, parents killed, interrupted: nothing lost, nothing twice, nobody
# left behind. XL_WORKER_KILLS: sweeps in which workers are killed (12). Prints "N passed, N failed".
set -u
bin=$(realpath "$1")
repo=$(realpath "$2")/tests/data/models/repo
sweeps=${XL_WORKER_KILLS:-12}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME=$work INSTANCE_ID=t
unset HEADLESS PROMPT HF_HOME HF_HUB_CACHE HUGGINGFACE_HUB_CACHE XDG_CACHE_HOME XDG_CONFIG_HOME
passed=0 failed=0
ok() { passed=$((passed + 1)); echo "ok   $1"; }
bad() { failed=$((failed + 1)); echo "FAIL $1"; tail -3 "$work/err" 2>/dev/null | cut -c1-300 | sed 's/^/     /'; }
check() { local name=$1; shift; if "$@" >/dev/null 2>&1; then ok "$name"; else bad "$name"; fi; }
contents() { find "$1" -name '*.png' ! -name 'sheet_*' -exec sha256sum {} + | cut -d' ' -f1 | sort; }

cp -r "$repo" "$work/first"
cp -r "$repo" "$work/second"
unet=$work/second/unet/diffusion_pytorch_model.safetensors
dd if=/dev/zero of="$unet" bs=1 seek=$(($(stat -c %s "$unet") - 200)) count=200 conv=notrunc 2>/dev/null
request=(--prompt "a cat" --width 64 --height 64 --steps 1 --seed 7 --quiet
    --sweep "model=$work/first,$work/second" --sweep profile=all)
out=$work/out
"$bin" generate "${request[@]}" --output-dir "$work/whole" >/dev/null 2>"$work/err" || bad "undisturbed run"
contents "$work/whole" >"$work/whole.txt"

# whole NAME: all pictures of $out are there, once, each with one line in the log, and nothing else
whole() {
    local name=$1
    contents "$out" | cmp -s - "$work/whole.txt" ||
        { bad "$name: $(contents "$out" | wc -l) pictures, $(contents "$out" | sort -u | wc -l) different"; return 1; }
    [ -z "$(find "$out" -name '.*.tmp')" ] || { bad "$name: temporary files are left"; return 1; }
    grep -oh '"paths":\[[^]]*' "$out"/jobs_t.log | grep -o '[^"]*[.]png' | sort >"$work/logged.txt"
    [ "$(wc -l <"$work/logged.txt")" -eq 58 ] && [ "$(sort -u "$work/logged.txt" | wc -l)" -eq 58 ] ||
        { bad "$name: $(wc -l <"$work/logged.txt") pictures in the log"; return 1; }
}
# children PID: its workers, and no other child: LeakSanitizer looks at a program from one, and waits for
# ever when that is killed. gone PIDS: they end within two seconds.
children() {
    local child words
    for child in $(cat /proc/"$1"/task/*/children 2>/dev/null); do
        mapfile -d '' words 2>/dev/null </proc/"$child"/cmdline || continue
        [ "${words[1]-}" != worker ] || echo "$child"
    done
}
gone() {
    local pid i
    for pid in "$@"; do
        for i in $(seq 1 100); do
            grep -q '^State:.[^Z]' /proc/"$pid"/status 2>/dev/null || break
            sleep 0.02
        done
        [ "$i" -lt 100 ] || return 1
    done
}

for n in 1 3; do
    rm -rf "$out"
    start=$(date +%s%N)
    "$bin" generate "${request[@]}" --output-dir "$out" --workers $n >/dev/null 2>"$work/err" || bad "$n workers"
    ms=$((($(date +%s%N) - start) / 1000000))
    whole "$n workers" && ok "$n workers draw the bytes of one process"
done

# Workers killed at random moments, one or more in each sweep.
n_kills=0 n_resumed=0
for i in $(seq 1 "$sweeps"); do
    rm -rf "$out"
    "$bin" generate "${request[@]}" --output-dir "$out" --workers 2 >/dev/null 2>"$work/err" &
    pid=$!
    for _ in $(seq 1 $((1 + RANDOM % 3))); do
        sleep "$(printf '0.%03d' $((RANDOM % (ms > 999 ? 999 : ms))))"
        victim=($(children $pid))
        [ ${#victim[@]} -gt 0 ] || continue
        kill -KILL "${victim[RANDOM % ${#victim[@]}]}" 2>/dev/null && n_kills=$((n_kills + 1))
    done
    wait $pid
    got=$?
    if [ $got -eq 3 ] && grep -q 'second time over the same pictures: a worker process was killed' "$work/err"; then
        "$bin" resume "$out"/sweep_* --quiet >/dev/null 2>"$work/err"
        got=$? n_resumed=$((n_resumed + 1))
    fi
    [ $got -eq 0 ] || bad "sweep $i: exit $got"
    whole "sweep $i" || break
done
[ $failed -eq 0 ] && ok "$n_kills workers killed in $sweeps sweeps, $n_resumed resumed"

# Whoever draws dies: the group fails with a sentence, and the run ends.
rm -rf "$out"
"$bin" generate "${request[@]}" --output-dir "$out" --workers 1 >/dev/null 2>"$work/err" &
pid=$!
while kill -0 $pid 2>/dev/null; do
    for victim in $(children $pid); do kill -KILL "$victim" 2>/dev/null; done
done
wait $pid
got=$?
[ $got -eq 3 ] && grep -q 'for the second time over the same pictures: a worker process was killed by signal 9' "$work/err" &&
    ok "a group that kills two workers fails" || bad "a group that kills two workers: exit $got"
check "it stands in the log" grep -q '"error":"for the second time' "$out/jobs_t.log"
"$bin" resume "$out"/sweep_* --quiet >/dev/null 2>"$work/err"
contents "$out" | cmp -s - "$work/whole.txt" && ok "and is drawn by who resumes" || bad "resumed after that"

# begin ARGUMENTS...: a sweep that takes long enough, in the background, once it has drawn something
begin() {
    rm -rf "$out"
    "$@" generate "${request[@]}" --output-dir "$out" --workers 2 >/dev/null 2>"$work/err" &
    pid=$!
    while [ -z "$(find "$out" -name '*.png' 2>/dev/null)" ] && kill -0 $pid 2>/dev/null; do sleep 0.01; done
    workers=($(children $pid))
}
resumed() {
    "$bin" resume "$out"/sweep_* --quiet --workers 2 >/dev/null 2>"$work/err" || bad "$1: resumed"
    whole "$1"
}
for i in $(seq 1 $((1 + sweeps / 4))); do
    begin "$bin"
    kill -KILL $pid
    wait $pid 2>/dev/null
    resumed "parent killed" && gone "${workers[@]}" || { bad "parent killed"; break; }
done
[ $failed -eq 0 ] && ok "the parent killed: nobody is left, nothing is lost, nothing twice"
for signal in TERM INT; do
    code=143
    [ $signal = INT ] && code=130
    # Without that, what a script starts in the background ignores SIGINT.
    begin env --default-signal=INT "$bin"
    start=$(date +%s%N)
    kill -$signal $pid
    wait $pid
    got=$?
    took=$((($(date +%s%N) - start) / 1000000))
    [ $got -eq $code ] && [ $took -lt 10000 ] || bad "SIG$signal: exit $got after $took ms"
    gone "${workers[@]}" || bad "SIG$signal: workers are left"
    resumed "SIG$signal" && ok "SIG$signal: exit $code, nothing torn, nobody left"
done
begin "$bin"
kill -TERM "${workers[0]}"
wait $pid && whole "a worker asked to stop" && ok "a worker asked to stop: its group is drawn again"

# A worker by hand: what it says to what is no request
printf '%s\n' '{"do":"dance"}' '{"do":"expect"}' '{"do":"draw"}' | "$bin" worker >"$work/said" 2>"$work/err"
[ $? -eq 0 ] && grep -q '"event":"failed","status":"XL_EINPUT".*expected open, expect, need, draw or stop' "$work/said" &&
    grep -q 'there is no model at hand' "$work/said" && ok "a worker says what it does not understand" || bad "a worker by hand"
printf 'no JSON\n' | "$bin" worker >"$work/said" 2>"$work/err"
[ $? -ne 0 ] && ok "and ends when it is no JSON" || bad "no JSON"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
