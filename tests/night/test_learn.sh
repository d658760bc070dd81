#!/bin/bash
# test_learn.sh BINARY FAKES SOURCE_DIR - nights that draw what is loved more often. Prints "N passed, N failed".
bin=$(realpath "$1")
fakes=$(realpath "$2")
source=$(realpath "$3")
. "$source/tests/e2e/common.sh"
. "$source/tests/night/common.sh"
# pictures_of DIR LOVED: 600 pictures that somebody has made, of which he loves a third of those in one profile
pictures_of() {
    mkdir -p "$1"
    python3 - "$1" "$2" <<'END'
import json, sys
folder, loved = sys.argv[1:]
profiles = ["None (raw)", "Watercolor", "Cinematic"]
with open(folder + "/jobs_old.log", "w") as log, open(folder + "/marks_old.jsonl", "w") as marks:
    for i in range(600):
        profile, path, cell = profiles[i % 3], "%d.png" % i, "%032x" % (i + 1)
        log.write(json.dumps({"timestamp": "20260101_%06d" % i, "status": "XL_OK", "mode": "txt2img", "prompt": "a cat", "profile_style": profile,
                              "model_key": "M", "scheduler": "Euler", "steps": 4, "guidance_scale": 5.0, "width": 128, "height": 128,
                              "seeds": [i], "paths": [path], "cells": [cell]}) + "\n")
        if profile == loved and i % 9 < 3:
            marks.write(json.dumps({"kind": "favorite", "path": path, "sha256": "%064x" % i, "cell": cell, "bytes": 1, "loved": True,
                                    "marked_at": "2026-02-01T00:00:00Z"}) + "\n")
END
}
# share of a profile among the lots of out, as night check --json has it; "none" where nothing decides
share() { python3 -c "import json; print(json.load(open('out'))['lots'].get('profile', {}).get('$1', 'none'))"; }
above() { python3 -c "import sys; sys.exit(not float('$1') > $2)"; }
profiles() { cat "$1"/jobs_t.log 2>/dev/null | grep -o '"profile_style":"[^"]*"' | sort | uniq -c | sort -rn; }
printf '%s\n' 'templates: ["a {x} {y}"]' 'lists: {x: [cat, dog, owl, fox], y: [asleep, awake, at home, far away]}' >words.yaml
night() { config "$1" "prompts: words.yaml" "seed: 1" "output_dir: $2" "device: cpu" "workers: 1" "min_free: 0" 'profiles: ["None (raw)", Watercolor, Cinematic]' "${@:3}"; }

# --- What it would be ---
night n.yaml pics "until_jobs: 6" "learn_from: favourites"
expect "before anything is made, all are as likely" 0 "all are as likely" "$bin" night check n.yaml
pictures_of pics Watercolor
expect "what is loved comes more often" 0 "profile   Watercolor" "$bin" night check n.yaml
expect "for programs" 0 "" "$bin" night check n.yaml --json
above "$(share Watercolor)" 0.9 && ok "most of the time" || bad "most of the time: $(share Watercolor)"
night lot.yaml pics "until_jobs: 6"
expect "without, by lot" 0 "" "$bin" night check lot.yaml --json
[ "$(share Watercolor)" = none ] && ok "nothing decides then" || bad "nothing decides then"
night known.yaml pics "until_jobs: 6" "learn_from: favourites"
sed -i 's/^profiles.*/profiles: ["None (raw)", Cinematic, Tim Burton]/' known.yaml
expect "what nobody tried" 0 "" "$bin" night check known.yaml --json
above "$(share 'Tim Burton')" 0.2 && ok "is tried" || bad "is tried: $(share 'Tim Burton')"

# --- Drawn, and gone on with when something else is loved ---
expect "a night" 0 "all of its jobs are done" "$bin" night n.yaml
first=$(echo pics/night_*)
[ "$(profiles pics | head -1 | awk '{ print $2 }')" = '"profile_style":"Watercolor"' ] && ok "draws what is loved" || bad "draws $(profiles pics)"
check "what it learned is in its folder" grep -q '"Watercolor"' "$first/learned.json"
night more.yaml then "until_jobs: 3" "learn_from: favourites"
pictures_of then Watercolor
# stopped after its first pictures
sed -i 's/^steps: 1/steps: 12/; s/^until_jobs.*/until_jobs: 8/' more.yaml
"$bin" night more.yaml >out 2>err &
pid=$!
until_true has_drawn then 1
kill -9 $pid
wait $pid 2>/dev/null
pictures_of then Cinematic
mv then/night_*/learned.json kept.json
expect "what it learned is gone" 2 "learned.json: there is none" "$bin" night more.yaml
mv kept.json "$(echo then/night_*)/learned.json"
expect "another taste meanwhile" 0 "all of its jobs are done" "$bin" night more.yaml
once then 8 && ok "each job once" || bad "each job once: $(pictures then)"
profiles then | grep -q Cinematic && bad "it keeps to what it learned: $(profiles then)" || ok "it keeps to what it learned"
expect "the next night learns anew" 0 "profile   Cinematic" "$bin" night check more.yaml
cp then/night_*/learned.json learned.json
night file.yaml file "until_jobs: 6" "learn_from: learned.json"
expect "from a file" 0 "profile   Watercolor" "$bin" night check file.yaml

# --- What a theme decides ---
cat words.yaml >own.yaml
echo 'settings: {profile: {None (raw): 1, Watercolor: 1}}' >>own.yaml
expect "prompts learn settings, too" 0 "" "$bin" prompts generate own.yaml --learn-from learned.json --count 200 --seed 1 --json
[ "$(grep -c '"profile": *"Watercolor"' out)" -gt 140 ] && ok "loved values of a theme come more often" || bad "$(grep -c Watercolor out) of 200"

# --- Bad input ---
python3 - <<'END'
import json
learned = json.load(open("learned.json"))
learned["lots"]["root"].pop()
json.dump(learned, open("broken.json", "w"))
END
night broken.yaml broken "until_jobs: 6" "learn_from: broken.json"
expect "lots that are wrong" 2 "learn_from" "$bin" night check broken.yaml
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
