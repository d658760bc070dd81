#!/bin/bash
# test_index.sh PROGRAM SOURCE_DIR - the index and marks as a person uses them: copies, renamed files and
# links are found, logs may go, other programs' folders count, lists of favourites are read.
lab=$1
. "$(dirname "$0")/common.sh"
export OUTPUT_DIR=$work/pics INSTANCE_ID=test

json() { python3 -c 'import json, sys; document = json.load(sys.stdin); print(eval(sys.argv[1]))' "$1"; }
# says NAME EXPRESSION VALUE COMMAND...: of the document that a command prints
says() {
    local name=$1 expression=$2 value=$3 got
    shift 3
    got=$("$@" --json 2>err </dev/null | json "$expression" 2>>err)
    if [ "$got" = "$value" ]; then ok "$name"; else bad "$name: \"$got\", expected \"$value\""; fi
}

expect "no output directory" 2 "--output-dir" "$lab" index update
"$lab" generate --prompt "a red house" --batch 4 --steps 1 --size 64x64 --seed 7 --quiet >drawn || exit 1
first=$(ls pics/*_seed7_*.png) second=$(ls pics/*_seed8_*.png) third=$(ls pics/*_seed9_*.png)
says "pictures of a log" 'document["pictures"]' 4 "$lab" index update
says "filtered by seed" 'len(document["pictures"])' 1 "$lab" pictures list --seed 8
says "found by words" 'len(document["pictures"])' 4 "$lab" pictures list --search "red hou"
says "and by one that is not there" 'len(document["pictures"])' "0" "$lab" pictures list --search "red -hou"
says "which no prompt has" 'len(document["pictures"])' 4 "$lab" pictures list --search "-fog red"
says "a range of seeds" 'sorted(int(p["seed"]) for p in document["pictures"])' "[8, 9]" \
    "$lab" pictures list --search "house seed:8..9"
says "beyond a number" 'sorted(int(p["seed"]) for p in document["pictures"])' "[9, 10]" \
    "$lab" pictures list --search 'SEED:>8 size:64x64 profile:"None (raw)"'
says "an option and a range: both" 'len(document["pictures"])' 0 "$lab" pictures list --seed 7 --search "seed:8..9"
says "what is no value is a word" 'len(document["pictures"])' 0 "$lab" pictures list --search "subject:red"
expect "nothing behind the colon" 2 'nothing stands behind "seed:"' "$lab" pictures list --search "red seed:"
expect "no range" 2 "20..40" "$lab" pictures list --search "steps:many"
expect "no such size" 2 "nosize" "$lab" pictures list --size nosize
expect "no such time" 2 "--since" "$lab" pictures list --since soon

mkdir marked
cp "$first" marked/copy.png
ln -s "../$second" marked/link.png
echo text >marked/no.png
expect "a folder of copies and links" 0 "2 pictures marked" "$lab" favorite import marked
says "they are the pictures that they are of" 'sorted(int(p["seed"]) for p in document["pictures"])' "[7, 8]" \
    "$lab" pictures list --loved
mv "$first" pics/renamed.png
says "a rating of a copy" 'document["marked"]' 1 "$lab" favorite rate 4 marked/copy.png
printf 'rating,path\n5,%s\n=1+1,%s\n3,nowhere.png\n' "$third" "$second" >list.csv
says "a CSV file: the rest goes on" 'document["marked"], len(document["refused"])' "(1, 2)" "$lab" favorite import list.csv
says "best first" '[p["rating"] for p in document["pictures"]][:2]' "[5, 4]" "$lab" pictures list --sort best
printf 'name,stars\na,1\n' >wrong.csv
expect "a CSV file without paths" 2 'no column of paths among "name", "stars"' "$lab" favorite import wrong.csv
expect "nothing that can be marked" 2 "none of 1 picture" "$lab" favorite add nowhere.png
expect "no rating" 2 "expected 1 to 5" "$lab" favorite rate 6 "$second"
printf '1\n' | "$lab" duel "$second" "$third" >duel 2>&1
check "a duel" grep -q "1 choice" duel
check "a duel's sheet" test -f pics/.index/duel_01.png
says "it is counted" 'document["duels"]' 1 "$lab" index update

"$lab" generate --prompt "two sizes" --steps 1 --size 64x64 --sweep seed=1..2 --quiet --output-dir sweep >drawn || exit 1
says "a contact sheet is no picture" 'document["pictures"], document["files_without_record"]' "(2, 0)" \
    "$lab" index update --output-dir sweep
says "logs and records agree" 'document["checked"], document["disagreements"]' "(2, [])" "$lab" index check --output-dir sweep
sed -i '1s/"steps": *1,/"steps": 9,/; 1s/two sizes/three sizes/g' sweep/jobs_test.log
says "a log that was edited" 'document["checked"], [(d["field"], d["log"], d["record"]) for d in document["disagreements"]]' \
    "(2, [('prompt', 'three sizes', 'two sizes'), ('steps', '9', '1'), ('styled_prompt', 'three sizes', 'two sizes')])" \
    "$lab" index check --output-dir sweep
says "is counted" 'document["pictures_that_disagree"]' 1 "$lab" index status --output-dir sweep
"$lab" index check --output-dir sweep >disagree
check "and told" grep -q "steps *9 *1 .*seed1" disagree
expect "with what to do" 0 "1 picture says otherwise than its log" "$lab" index status --output-dir sweep

"$lab" favorite list --csv >marks.csv
check "favourites as CSV" grep -q "^$work/pics/[^,]*seed9[^,]*,5,1,1,[0-9a-f]\{64\},[0-9a-f]\{32\}$" marks.csv
says "which is read again" 'document["marked"]' "$(($(wc -l <marks.csv) - 1))" "$lab" favorite import marks.csv
expect "CSV or JSON" 2 "one of them" "$lab" favorite list --csv --json

before=$("$lab" pictures list --loved --sort oldest --json | json 'sorted((p["seed"], p["rating"]) for p in document["pictures"])')
rm -r pics/.index
after=$("$lab" pictures list --loved --sort oldest --json | json 'sorted((p["seed"], p["rating"]) for p in document["pictures"])')
if [ -n "$before" ] && [ "$before" = "$after" ]; then ok "the same without the index"; else bad "$before, then $after"; fi
rm pics/jobs_test.log
says "without the log, from records" 'document["pictures"], document["pictures_from_records"]' "(4, 4)" "$lab" index update
says "marks hold" 'sorted((p["seed"], p["rating"]) for p in document["pictures"])' "$before" "$lab" pictures list --loved

"$lab" generate --prompt "elsewhere" --steps 1 --size 64x64 --seed 1 --quiet --output-dir other >drawn || exit 1
says "a folder that is added" 'document["pictures"], document["named_folders"]' "(5, 1)" "$lab" index add other
says "and removed" 'document["pictures"]' 4 "$lab" index remove other
expect "a folder that is not there" 2 "no such folder" "$lab" index add nowhere
"$lab" favorite remove "$second" >/dev/null 2>&1
says "a mark that is taken away" 'len(document)' 2 "$lab" favorite list

# A log is as long as it likes: what is in memory does not grow with it, and a line that never ends is one
# that is damaged.
cat >peak.py <<'END'
import os, resource, subprocess, sys
program, folder, n = sys.argv[1], sys.argv[2], int(sys.argv[3])
os.mkdir(folder)
line = ('{"format":2,"timestamp":"20260101-000000","logged_at":"2026-01-01T00:00:00Z","model_key":"M","prompt":"a fox %d",'
        '"steps":20,"guidance":7,"width":512,"height":512,"more":"' + "x" * 1600 + '","seeds":["%d"],'
        '"paths":["output_images/run/a_seed%d_00.png"],"cells":["%032x"],"status":"ok"}\n')
with open(folder + "/jobs_a.log", "w") as log:
    for i in range(n):
        log.write(line % (i % 1000, i, i, i + 1))
        if i == n // 2:
            log.write('{"prompt":"' + "y" * (20 << 20) + '\n')
subprocess.run([program, "index", "rebuild", "--output-dir", folder], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
END
small=$(python3 peak.py "$lab" log_5k 5000) large=$(python3 peak.py "$lab" log_50k 50000)
says "a long log" 'document["pictures"], document["damaged_lines"]' "(50000, 1)" "$lab" index status --output-dir log_50k
grown=$((large - small)) more=$((($(stat -c %s log_50k/jobs_a.log) - $(stat -c %s log_5k/jobs_a.log)) / 1024))
bin=$lab
if is_sanitized; then
    echo "skip memory: what a long log takes cannot be told, for sanitizers keep what was freed"
elif [ "$grown" -lt $((more / 3)) ]; then ok "memory does not grow with it"
else bad "$small kB for 5000 lines, $large kB for 50000, which are $more kB more of log"; fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
