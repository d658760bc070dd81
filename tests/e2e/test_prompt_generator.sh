#!/bin/bash
# test_prompt_generator.sh BINARY SOURCE_DIR - prompts generate, preview and check as a person uses them:
# themes, own files, mistakes, JSON, a million prompts, jobs that are drawn. Prints "N passed, N failed".
set -u
bin=$(realpath "$1") source=$(realpath "$2")
. "$source/tests/e2e/common.sh"
export INSTANCE_ID=generator
prompts() { "$bin" prompts "$@"; }
lines() { [ "$(wc -l <out)" -eq "$1" ]; }

# Themes
expect "check names every theme" 0 "fantasy-city: " prompts check
check "ten and more" sh -c 'grep -c "different prompts$" out | grep -qE "^[1-9][0-9]"'
check "without a warning" test ! -s err
check "all of them exactly" sh -c "! grep -q 'at most' out"
for theme in "$source"/data/themes/*.yaml; do
    name=$(basename "$theme" .yaml)
    expect "$name" 0 "" prompts generate "$name" --count 300 --seed 1
    check "$name has 300 prompts, none twice" sh -c '[ "$(sort -u out | wc -l)" -eq 300 ]'
    check "$name needs no more than CLIP reads" awk '{ if (NF > 62) bad = 1 } END { exit bad }' out
    check "$name has no slips" sh -c "! grep -nE '  |,,| ,|[{}]|\\$\\$|, *$|(^|[ (])a [aei][^u]|(^|[ (])an [bcdfgjkpqtvwz]' out"
done
expect "case and hyphens do not matter" 0 "" prompts generate "Lab Tiny" --count 1 --seed 1
expect "the same seed" 0 "" prompts generate lab-tiny --count 50 --seed 9
cp out first
expect "the same list" 0 "" prompts generate lab-tiny --count 50 --seed 9
check "to the byte" cmp -s out first
expect "another seed" 0 "" prompts generate lab-tiny --count 50 --seed 10
check "another list" sh -c '! cmp -s out first'
expect "a longer list" 0 "" prompts generate lab-tiny --count 80 --seed 9
check "begins with the shorter one" sh -c 'head -50 out | cmp -s - first'
expect "a seed that nobody chose is told" 0 "the same list again: --seed " prompts generate lab-tiny --count 5
seed=$(sed -n 's/.*--seed //p' err)
cp out first
expect "and makes the list again" 0 "" prompts generate lab-tiny --count 5 --seed "$seed"
check "the same" cmp -s out first

# A million, in memory that is bounded: 64 MB of data for 1,000,000 hashes of 8 bytes and growing room
n=1000000
is_sanitized "$bin" 2>/dev/null && n=20000
(
    [ $n -lt 1000000 ] || ulimit -d 65536
    "$bin" prompts generate fantasy-city --count $n --seed 3 >million
)
check "a million prompts" sh -c "[ \$(wc -l <million) -eq $n ]"
check "none twice" sh -c "[ \$(sort -u million | wc -l) -eq $n ]"
rm -f million

# Own files
mkdir -p .config/sdxl-lab/themes
cat >.config/sdxl-lab/themes/pets.yaml <<'END'
about: Pets
templates: ["A {adjective} {pet}"]
lists: {adjective: [old, young], pet: [cat, dog, owl]}
settings: {steps: [20, 30], profile: {Watercolor: 1}, guidance: {5.5: 1}}
END
expect "an own theme" 0 "pets: 1 template, 2 lists of 5 entries; 6 different prompts" prompts check pets
expect "is told when it is through" 0 "there are only 6 different prompts" prompts generate pets --count 7 --seed 1
check "each came before any came again" sh -c '[ "$(head -6 out | sort -u | wc -l)" -eq 6 ]'
check "articles are right" sh -c "grep -qx 'An old owl' out && grep -qx 'A young owl' out"
expect "preview" 0 "6 different prompts; some of --seed 4:" prompts preview pets --seed 4
check "ends when there is no other" sh -c '[ "$(grep -c "seed [0-9]*$" out)" -eq 6 ]'
expect "preview fits 40 columns" 0 "" env COLUMNS=40 "$bin" prompts preview fantasy-city --seed 4
check "in every line" awk 'length($0) > 40 && !/:$/ { bad = 1 } END { exit bad }' out
check "has no colours in a pipe" sh -c "! grep -q $(printf '\033') out"

# JSON
if command -v python3 >/dev/null; then
    expect "json" 0 "" prompts generate pets --count 3 --seed 1 --json
    check "is one document" python3 -c '
import json
d = json.load(open("out"))
assert d["theme"] == "pets" and d["possible"] == "6" and d["possible_is_exact"] and d["seed"] == "1"
assert len(d["prompts"]) == 3
p = d["prompts"][0]
assert p["template"] == "A {adjective} {pet}" and p["job"]["prompt"] == p["prompt"]
assert p["parts"]["pet"][0] in p["prompt"] and p["job"]["steps"] in (20, 30)
assert p["job"]["profile"] == "Watercolor" and p["job"]["guidance"] == 5.5
json.dump(d["prompts"][0]["job"], open("job.json", "w"))'
    expect "json of preview" 0 "" prompts preview pets --seed 1 --json
    check "is the same with six" python3 -c '
import json
d = json.load(open("out"))
assert d["theme"] == "pets" and len(d["prompts"]) == 6'
    expect "json of check" 0 "" prompts check pets lab-tiny --json
    check "has both" python3 -c '
import json
d = json.load(open("out"))["themes"]
assert [t["theme"] for t in d] == ["pets", "lab-tiny"] and d[0]["entries"] == 5'
    expect "a job is drawn" 0 "" "$bin" generate --job job.json --dtype f32 --model "$source/tests/data/models/repo" \
        --size 64x64 --steps 2 --output-dir drawn
    check "as it was decided" grep -aq "Watercolor" "$(one drawn)"
fi

# Weights that were learned
echo '{"format": 1, "weights": {"pet": {"cat": 0, "dog": 50}}}' >w.json
expect "weights from a file" 0 "" prompts generate pets --count 4 --seed 1 --learn-from w.json
check "leave out what counts 0" sh -c '! grep -q cat out'
expect "a file that is none" 2 "pets.yaml:1:1: no file of weights: expected" prompts generate pets --count 4 \
    --learn-from .config/sdxl-lab/themes/pets.yaml
expect "a file that is not there" 2 "w2.json" prompts generate pets --learn-from w2.json

# Mistakes
expect "a theme that is none" 2 'there is no theme "fantasy-cty"; did you mean "fantasy-city"?' prompts generate fantasy-cty
expect "nothing near" 2 "there is no theme \"zzz\"" prompts check zzz
expect "a file that is not there" 2 "no.yaml" prompts check ./no.yaml
printf 'templates: [x]\nsettings: {profil: A}\n' >bad.yaml
expect "a setting that is none" 2 'bad.yaml:2:12: "profil" is no setting that a grammar decides; did you mean profile?' \
    prompts check ./bad.yaml
printf 'templates: [x]\nsettings: {profile: [Watercolr]}\n' >bad.yaml
expect "a profile that is none" 2 'bad.yaml:2:22: ' prompts check ./bad.yaml
printf 'templates: [x]\nsettings: {steps: [20, many]}\n' >bad.yaml
expect "steps that are none" 2 'bad.yaml:2:24: steps: "many" is not a whole number' prompts check ./bad.yaml
printf 'templates: [x]\nsettings: {seed: 1}\n' >bad.yaml
expect "a seed among settings" 2 'bad.yaml:2:12: "seed" is no setting that a grammar decides' prompts check ./bad.yaml
printf 'templates: ["{a}"]\nlists: {a: [nude statue, oak, oak]}\n' >bad.yaml
expect "what is left out is told" 0 '"nude statue" is left out: nude is blocked' prompts check ./bad.yaml
check "and what is there twice" grep -q '"oak" stands there twice and counts once' err
printf 'templates: ["{a}"]\nsafe: false\nlists: {a: [nude statue, oak]}\n' >bad.yaml
expect "unless the file says so" 0 '; 2 different prompts' prompts check ./bad.yaml
printf 'templates: ["{a} {b}"]\nlists: {a: [x], b: [y]}\nnever_together: [[x, y]]\n' >bad.yaml
expect "constraints that leave nothing" 2 'leave no prompt at all' prompts generate ./bad.yaml
expect "too many" 2 "at most 20000000 prompts" prompts generate pets --count 30000000
expect "no theme named" 2 "" prompts generate
expect "a word too many" 2 "" prompts generate pets lab-tiny

# As a program of its own
ln -s "$bin" prompt_generator
expect "prompt_generator" 0 "" ./prompt_generator pets --count 2 --seed 1
check "makes prompts" lines 2
expect "prompt_generator check" 0 "pets: 1 template" ./prompt_generator check pets
expect "prompt_generator --help" 0 "prompts generate" ./prompt_generator --help

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
