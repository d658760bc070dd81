#!/bin/bash
# test_losses.sh BINARY FAKES SOURCE_DIR - a night on three GPUs of which one is lost and one is left to
# somebody else, and whose workers are killed: the report says when, who, what happened, and which pictures
# were drawn again. Prints "N passed, N failed".
bin=$(realpath "$1")
fakes=$(realpath "$2")
source=$(realpath "$3")
. "$source/tests/e2e/common.sh"
. "$source/tests/night/common.sh"
is_sanitized && jobs=10 || jobs=30
config night.yaml "prompt: a cat" "seed: 3" "until_jobs: $jobs" "output_dir: drawn" "retries: 20" "breaker_failures: 50" \
    "min_free: 0" "gpus: all" "threads: 3"
sed -i "s/^steps: 1/steps: 20/" night.yaml
script "$(gpu 1)" "$(gpu 2)" "$(gpu 3)"
"$bin" night night.yaml >out.txt 2>err.txt &
pid=$!
has_three() { [ "$(children $pid | wc -l)" -eq 3 ]; }
until_true has_three && ok "three draw" || bad "three draw"
kill -KILL "$(children $pid | head -1)"
until_true grep -q "was killed" err.txt && ok "one was killed over a picture" || bad "none was killed"
until_true has_three
script "$(gpu 1)" "$(gpu 2 result=15)" "$(gpu 3 procs=2)"
until_true grep -q "GPU-00000002.* is lost" err.txt && ok "a GPU is lost" || bad "no GPU is lost"
until_true grep -q "is left to 1 other process" err.txt && ok "one is left to others" || bad "none is left"
wait $pid && ok "the night is done" || { bad "the night is done"; tail -5 err.txt; }
once drawn "$jobs" && ok "$jobs pictures, each once" || bad "$(pictures drawn) pictures"
"$bin" night report --output-dir drawn --json >report.json 2>err
night=$(echo drawn/night_*)
python3 - "$night" <<'END' && ok "the report tells each loss, and what became of the pictures" || bad "losses: $(cat report.json)"
import json, re, sys
report = json.load(open("report.json"))
log = {}
for line in open("drawn/jobs_t.log"):
    entry = json.loads(line)
    if entry["status"] == "XL_OK":
        log.update({cell: entry["worker"] for cell in entry["cells"]})
losses = report["losses"]
assert report["n_losses"] == len(losses) == 3, losses
how = {loss["how"]: loss for loss in losses}
assert set(how) == {"worker died", "GPU lost", "GPU left to others"}, how
assert how["GPU lost"]["worker"].startswith("GPU-00000002") and how["GPU lost"]["name"]
assert how["GPU left to others"]["worker"].startswith("GPU-00000003")
assert "signal 9" in how["worker died"]["error"] or "killed" in how["worker died"]["error"], how
again = [picture for loss in losses for picture in loss["then_drawn"]]
assert how["worker died"]["then_drawn"], how
for picture in again:
    assert log[picture["cell"]] == picture["worker"], picture
for loss in losses:
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", loss["at"]) and not loss["not_drawn"], loss
text, page = open(sys.argv[1] + "/report.txt").read(), open(sys.argv[1] + "/report.html").read()
for loss in losses:
    assert loss["at"] in text and loss["how"] in text and loss["how"] in page and loss["at"] in page, loss
assert "then drawn by" in text and "then drawn: <a href" in page
END

# A worker that dies with nothing in hand is told as well; a night of before knows of no losses.
config idle.yaml "prompt: a cat" "seed: 4" "until_jobs: 40" "output_dir: idle" "device: cpu" "workers: 1" "min_free: 0"
"$bin" night idle.yaml >out.txt 2>err.txt &
pid=$!
until_true has_drawn idle 1
worker=$(children $pid)
kill -KILL $worker
wait $pid
"$bin" night report --output-dir idle --json >report.json 2>err
check "one death, told once" python3 -c 'import json; r = json.load(open("report.json")); assert r["n_losses"] == 1 and r["losses"][0]["worker"] == "worker 1", r["losses"]'
once idle 40 && ok "and 40 pictures" || bad "$(pictures idle) of 40"
python3 - idle/night_*/night.json <<'END'
import json, sys
state = json.load(open(sys.argv[1]))
del state["losses"], state["n_losses"]
json.dump(state, open(sys.argv[1], "w"))
END
expect "a night that an earlier version drew" 0 "40 pictures drawn" "$bin" night report --output-dir idle
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
