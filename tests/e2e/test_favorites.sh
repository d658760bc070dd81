#!/bin/bash
# test_favorites.sh SDXL_LAB SOURCE_DIR - what somebody loves, from logs and lists to reports and jobs.
set -u
bin=$(realpath "$1") source=$(realpath "$2")
. "$(dirname "$0")/common.sh"
command -v python3 >/dev/null || { echo "skip favorites: python3 is not installed"; exit 77; }
lab() { "$bin" "$@"; }
fail() { bad "$1"; }
before=0
part() { [ "$failed" = "$before" ] && ok "$1"; before=$failed; } # what was tried up to here
n_loved=$(python3 -B "$source/tests/e2e/make_favourites.py" pics) || exit 1
best="CyberRealistic XL v5.8 + Dark Fantasy / Grimdark + 768x768"
get() { python3 -c "import json; d = json.load(open('$1')); x = ($2); print(x if isinstance(x, str) else repr(x))"; }

# Lists: a text file of paths, a CSV file with ratings, a folder of links.
for list in loved.txt loved.csv links; do
    lab favorites "pics/$list" --output-dir pics --json >"$list.json" 2>"$list.err" || fail "$list: exit $?"
    [ "$(get "$list.json" "d['loved'], d['made']")" = "($n_loved, 6000)" ] || fail "$list: other pictures are loved"
    [ "$(get "$list.json" "d['bundles'][0]['name']")" = "$best" ] || fail "$list: another bundle is best"
    [ "$(get "$list.json" "d['bundles'][0]['model'] + d['bundles'][0]['resolution']")" = \
        "CyberRealistic XL v5.8768x768" ] || fail "$list: the bundle's settings"
done
grep -q "/nowhere/strange.png" loved.txt.err || fail "a picture that is not ours is not told"
[ "$(get loved.txt.json "d['given']['not_found']")" = "['/nowhere/strange.png']" ] || fail "nor in JSON"
[ "$(get loved.csv.json "d['rated']")" = "$n_loved" ] || fail "ratings of a CSV file are lost"

# Marks instead of a list say the same; a picture that went is found by its path.
lab favorites --output-dir pics --json >none.json || fail "no marks: exit $?"
[ "$(get none.json "d['loved'], d['bundles'], d['next']")" = "(0, [], None)" ] || fail "something is claimed of nothing"
lab favorite import pics/links --output-dir pics >/dev/null || fail "import: exit $?"
lab favorites --output-dir pics --json >marks.json
[ "$(get marks.json "d['bundles'][0]['text']")" = "$(get links.json "d['bundles'][0]['text']")" ] ||
    fail "marks and a list of the same pictures differ"
rm pics/images/*.png
lab favorites pics/loved.txt --output-dir pics --json 2>/dev/null >gone.json
[ "$(get gone.json "d['loved'], d['bundles'][0]['name']")" = "($n_loved, '$best')" ] || fail "pictures that went are lost"
part "lists and marks"

# Tables on a terminal: nothing in a prompt or a name steers it.
lab favorites pics/loved.txt --output-dir pics >report.txt 2>/dev/null || fail "report: exit $?"
grep -q "1. $best" report.txt || fail "the best bundle is not told"
grep -q "loved, .* times your average" report.txt || fail "how much it is loved is not told"
LC_ALL=C grep -q "$(printf '[\033\007]')" report.txt && fail "a control character of a prompt came through"
COLUMNS=60 lab favorites pics/loved.txt --output-dir pics 2>/dev/null | awk '/^Model/ {t = 1} /^$/ {t = 0} t && length > 60' |
    grep -q . && fail "a table is wider than the terminal"
part "a report on a terminal"

# CSV: no cell is a formula. Both outputs at once are refused.
lab favorites pics/loved.txt --output-dir pics --csv >report.csv 2>/dev/null || fail "csv: exit $?"
grep -q "^model,\"'=cmd" report.csv || fail "a formula is not escaped"
grep -q ",=cmd\|^=cmd" report.csv && fail "a formula is left"
lab favorites --output-dir pics --csv --json >/dev/null 2>&1; [ $? = 2 ] || fail "--csv with --json"
part "CSV"

# Files: what is exported can be drawn from.
lab favorites pics/loved.txt --output-dir pics --export all --html page.html --budget 60 >/dev/null 2>&1 || fail "export: exit $?"
for file in report.json report.csv report.html bundle_1.yaml next.yaml night.yaml favourites_01.png; do
    [ -s "all/$file" ] || fail "no $file"
done
[ -s page.html ] || fail "no page"
grep -qi "<script" page.html && fail "a prompt's script is in the page"
grep -q 'size: "768x768"' all/bundle_1.yaml || fail "the bundle's job has no size"
[ "$(get all/report.json "d['next']['pictures'] <= 60 and d['next']['pictures'] > 0")" = True ] || fail "the budget"
sed -i 's/^model:.*/model: lab-tiny-xl/; s/^scheduler:.*/scheduler: euler/' all/bundle_1.yaml
lab generate --job all/bundle_1.yaml --prompt "a fox" --dry-run >dry.txt 2>&1 || fail "a bundle's job: $(cat dry.txt)"
grep -q "768x768" dry.txt || fail "a bundle's job is read otherwise"
part "export"

# Time ranges, filters, empty logs, bad input.
lab favorites pics/loved.txt --output-dir pics --since 2026-06-01 --json 2>/dev/null >since.json
[ "$(get since.json "d['made']")" = 3000 ] || fail "--since counts others: $(get since.json "d['made']")"
lab favorites pics/loved.txt --output-dir pics --model "CyberRealistic XL v5.8" --json 2>/dev/null >model.json
[ "$(get model.json "len(d['tables']['model'])")" = 1 ] || fail "--model leaves others"
mkdir empty && : >empty/jobs_none.log
lab favorites --output-dir empty --json >empty.json || fail "an empty log: exit $?"
[ "$(get empty.json "d['made'], d['rate'], d['bundles']")" = "(0, None, [])" ] || fail "numbers of an empty log"
lab favorites nowhere.txt --output-dir pics >/dev/null 2>err.txt; [ $? = 2 ] || fail "a list that is not there"
grep -q "nowhere.txt" err.txt || fail "the sentence does not name the list"
part "filters and bad input"

# Prompts that write themselves learn from marks.
printf 'templates: ["{what}"]\nlists: {what: [castle, harbour, nothing of this]}\n' >theme.yaml
lab prompts generate theme.yaml --learn-from favourites --output-dir pics --count 3 --seed 1 >prompts.txt ||
    fail "learning from favourites: exit $?"
[ "$(sort -u prompts.txt | wc -l)" = 3 ] || fail "prompts were left out"
part "learning from favourites"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
