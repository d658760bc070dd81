#!/bin/bash
# test_chaos.sh BINARY FAKES SOURCE_DIR FULL_DISK - a night on eight GPUs in which workers and the night
# itself are killed, two GPUs are lost and the disk is full for a while: every job is drawn exactly once,
# and the report is right. XL_NIGHT_JOBS: how many (40). Prints "N passed, N failed".
bin=$(realpath "$1")
fakes=$(realpath "$2")
source=$(realpath "$3")
shim=$(realpath "$4")
. "$source/tests/e2e/common.sh"
. "$source/tests/night/common.sh"
is_sanitized && jobs=16 || jobs=${XL_NIGHT_JOBS:-40}
RANDOM=${XL_NIGHT_SEED:-13}
config night.yaml "prompts: lab-tiny-words.yaml" "seed: 5" "until_jobs: $jobs" "output_dir: out" "retries: 20" \
    "breaker_failures: 50" "min_free: 1MB" "gpus: all" "threads: 8"
printf '%s\n' 'templates: ["a {color} {animal} {place}"]' 'lists:' '  color: [red, green, blue, pink, grey, white]' \
    '  animal: [cat, dog, owl, fox, bear]' '  place: [on a hill, in a boat, at night, in snow]' >lab-tiny-words.yaml
all() { for i in 1 2 3 4 5 6 7 8; do gpu $i; done; }
mapfile -t lines < <(all)
script "${lines[@]}"

export FULL_DISK=$work/full
lab() { if is_sanitized; then exec "$bin" "$@"; else exec env LD_PRELOAD="$shim" "$bin" "$@"; fi; }
begin() {
    (lab night night.yaml) >>out.txt 2>>err.txt &
    pid=$!
}
begin
n_killed=0 n_again=0 has_lost=0 was_full=0 last=0
while :; do
    if ! kill -0 $pid 2>/dev/null; then
        wait $pid
        code=$?
        [ $code -eq 137 ] || break
        n_again=$((n_again + 1))
        begin
    fi
    sleep 0.1
    drawn=$(pictures out 2>/dev/null)
    if [ $has_lost = 0 ] && [ "$drawn" -ge $((jobs / 4)) ]; then
        lines[2]="$(gpu 3 result=15)"
        lines[5]="$(gpu 6)"$'\n'"xid GPU-00000006-0000-0000-0000-000000000000 79"
        script "${lines[@]}"
        has_lost=1
    fi
    if [ $was_full = 0 ] && [ "$drawn" -ge $((jobs / 2)) ] && ! is_sanitized; then
        touch full
        sleep 1.5
        rm full
        was_full=1
    fi
    # One of three times a worker, a few times in all the night itself; never without a picture between.
    [ "$drawn" -gt "$last" ] || continue
    last=$drawn
    mapfile -t workers < <(children $pid)
    if [ ${#workers[@]} -gt 0 ] && [ $((RANDOM % 3)) = 0 ]; then
        kill -KILL "${workers[$((RANDOM % ${#workers[@]}))]}" 2>/dev/null && n_killed=$((n_killed + 1))
    fi
    if [ $n_again -lt $((1 + jobs / 60)) ] && [ "$drawn" -ge $((jobs * (n_again + 1) / (2 + jobs / 60))) ]; then
        kill -KILL $pid 2>/dev/null
    fi
done
[ $code -eq 0 ] && ok "it ends with 0" || { bad "it ends with $code"; tail -5 err.txt; }
echo "     $n_killed workers killed, the night $n_again times, two GPUs lost, disk full: $was_full"
[ $n_again -ge 1 ] && [ $n_killed -ge 1 ] && ok "something was killed" || bad "nothing was killed"
night=$(echo out/night_*)
check "one night, not several" [ -d "$night" ]
once out "$jobs" && ok "$jobs pictures, each logged once" ||
    bad "$(pictures out) pictures, $(wc -l <logged.txt) lines, $(sort -u logged.txt | wc -l) cells"
[ "$(contents out | sort -u | wc -l)" -eq "$jobs" ] && ok "no two alike" || bad "some are alike"
check "it says so itself" [ "$(member "$night" state) $(member "$night" done) $(member "$night" failed)" = "done $jobs 0" ]
check "no temporary file is left" [ -z "$(find out -name '*.tmp')" ]
check "no GPU is locked" [ "$("$bin" gpu list --json | grep -c '"locked_by": "')" -eq 0 ]
if ! is_sanitized; then grep -q 'it pauses: the disk has' err.txt && ok "it paused for the disk" || bad "no pause for the disk"; fi
# In a short night the two may have had nothing more to draw.
[ "$jobs" -lt 200 ] || { grep -qE 'GPU [25] .*is lost' err.txt && ok "the loss of a GPU was told" || bad "no loss was told"; }

# The report says what the log says.
"$bin" night report "$night" --json >report.json 2>err
check "the report's numbers are the log's" python3 - "$work" "$jobs" <<'END'
import collections, glob, json, sys
work, jobs = sys.argv[1], int(sys.argv[2])
report = json.load(open(work + "/report.json"))
workers = collections.Counter()
n_failed = 0
for path in glob.glob(work + "/out/jobs_*.log"):
    for line in open(path):
        entry = json.loads(line)
        if entry["status"] == "XL_OK":
            workers[entry.get("worker", "")] += len(entry["paths"])
assert report["drawn"] == jobs == sum(workers.values()), (report["drawn"], workers)
assert report["failed"] == 0
assert {w["worker"]: w["pictures"] for w in report["workers"]} == dict(workers), (report["workers"], workers)
END
check "with text and page" [ -s "$night/report.txt" -a -s "$night/report.html" ]

# The same jobs without any of it.
sed 's/output_dir: out/output_dir: plain/; s/^gpus: all/device: cpu/; s/^threads: 8/workers: 1/' night.yaml >plain.yaml
"$bin" night plain.yaml --quiet >/dev/null 2>err
[ $? -eq 0 ] && contents plain >plain.txt && contents out | cmp -s - plain.txt && ok "the same bytes as of a quiet night" ||
    bad "not those of a quiet night"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
