#!/bin/sh
# test_manual.sh BINARY SOURCE_DIR - the man page is clean and complete, docs/COMMAND.md is what the
# program prints, and --help fits a terminal. Prints a line per check and "N passed, N failed".
set -u
bin=$1 source=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0
ok() { passed=$((passed + 1)); echo "ok   $1"; }
bad() { failed=$((failed + 1)); echo "FAIL $1"; }
check() { # NAME, then a command that must succeed
    what=$1
    shift
    if "$@" >"$work/why" 2>&1; then ok "$what"; else bad "$what"; head -5 "$work/why"; fi
}
silent() { [ -z "$("$@" 2>&1)" ] || { "$@" 2>&1; return 1; }; } # a command that must say nothing
lacks() { ! grep -n "$@"; }

"$bin" manual >"$work/page.1" 2>"$work/err"
check "sdxl-lab manual" test $? -eq 0 -a ! -s "$work/err"
"$bin" manual --markdown >"$work/page.md"
check "docs/COMMAND.md is what sdxl-lab manual --markdown prints (make docs)" \
    diff "$source/docs/COMMAND.md" "$work/page.md"
check "the man page is ASCII" lacks -P '[^\x00-\x7f]' "$work/page.1"

if command -v mandoc >/dev/null 2>&1; then
    check "mandoc -Tlint" silent mandoc -Tlint -Wwarning "$work/page.1"
else
    echo "skip mandoc: not installed"
fi
# Some installations have a `man` that only says that it is left out.
if man --version 2>/dev/null | grep -q '^man 2' && command -v groff >/dev/null 2>&1; then
    check "man --warnings" silent sh -c "MANWIDTH=80 MANROFFOPT= man --warnings -E ascii -l '$work/page.1' 2>&1 >/dev/null"
else
    echo "skip man: not installed"
fi

# The page with its escapes undone, to look words up in.
sed 's/\\f[BIR]//g; s/\\-/-/g' "$work/page.1" >"$work/page"
for section in NAME SYNOPSIS DESCRIPTION COMMANDS OPTIONS ENVIRONMENT FILES "EXIT STATUS" EXAMPLES; do
    check "section $section" grep -qx "\.SH $section" "$work/page"
done
for code in 0 1 2 3 4 5 6 130 143; do
    check "exit status $code" sh -c "sed -n '/^.SH EXIT/,/^.SH EXAMPLES/p' '$work/page' | grep -qx $code"
done
for name in HEADLESS INSTANCE_ID CONTAINER_NAME HF_HOME HF_HUB_CACHE HUGGINGFACE_HUB_CACHE \
    HF_HUB_OFFLINE XDG_CACHE_HOME XDG_CONFIG_HOME; do
    check "environment $name" grep -qx "$name" "$work/page"
done
# What the sources read from the environment: a name in quotes in a file that asks for variables.
for name in $(grep -l 'getenv(' -r "$source/src" | xargs grep -hoE '"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*"' |
    tr -d '"' | grep -E '^(HF|XDG|HUGGINGFACE|SDXL|NO|CONTAINER|INSTANCE)_|^(HEADLESS|PROMPT|HOME|HOSTNAME)$' | sort -u); do
    check "environment $name, which a source reads" grep -qx "$name" "$work/page"
done
grep -oE '\.environment = "[^"]*"' "$source/src/lab/settings/options.c" | cut -d'"' -f2 | tr ' ' '\n' >"$work/names"
for name in $(cat "$work/names"); do
    check "environment $name of a setting" grep -qx "$name" "$work/page"
    case $name in GRADIO_*) command=serve ;; *) command=generate ;; esac
    check "$command --help names $name" sh -c "'$bin' $command --help | grep -q '[[ ]$name[],]'"
done

# docs/HEADLESS.md is written by hand: what it lists must be all that there is.
guide=$source/docs/HEADLESS.md
for name in HEADLESS $(cat "$work/names"); do
    check "docs/HEADLESS.md has $name" grep -q "\`$name\`" "$guide"
done
for key in $(grep -oE 'put(_[a-z]+)?\(&?line, "[a-z_0-9]+"' "$source/src/lab/log/job_line.c" |
    sed 's/.*"\(.*\)"/\1/' | sort -u); do
    check "docs/HEADLESS.md has the key $key of the job log" \
        sh -c "sed -n '/^## The job log/,\$p' '$guide' | grep -q '\`$key\`'"
done

# Its examples of sweeps are sweeps.
printf '# two\na cat\n\na dog\n' >"$work/prompts.txt"
grep -o '`--sweep [^`]*`' "$guide" | tr -d '`' | grep -v 'KEY=VALUES\|model=all' >"$work/sweeps"
check "docs/HEADLESS.md has examples of every form" test "$(wc -l <"$work/sweeps")" -ge 8
repo=$(cd "$source" && pwd)/tests/data/models/repo
program=$(cd "$(dirname "$bin")" && pwd)/sdxl-lab
while IFS= read -r sweep; do
    check "an example: $sweep" sh -c "cd '$work' && '$program' generate --dry-run --model '$repo' \
        --width 64 --height 64 --prompt x $sweep | grep -q '^pictures [1-9]'"
done <"$work/sweeps"

# ---- --help ----
commands() { # the second column of the manual's list of commands
    sed -n '/^.SH COMMANDS/,/^.SH OPTIONS/s/^.SS //p' "$work/page"
}
check "there are commands" test "$(commands | wc -l)" -ge 12
commands >"$work/commands"
while IFS= read -r command; do
    # shellcheck disable=SC2086 # a command is one word or two
    "$bin" $command --help >"$work/help" 2>&1
    check "$command --help" grep -q "^usage: sdxl-lab $command" "$work/help"
    check "$command --help fits 80 columns" lacks '.\{81\}' "$work/help"
    check "$command --help has no blanks at the end of a line" lacks ' $' "$work/help"
    [ "$command" = generate ] && continue
    check "$command --help promises no environment" lacks '\[[A-Z][A-Z_]*_[A-Z_]*\]\|\[SEED\|\[STEPS\|\[SCHED' "$work/help"
done <"$work/commands"
"$bin" --help >"$work/help"
check "the overview fits 80 columns" lacks '.\{81\}' "$work/help"
while IFS= read -r command; do
    check "the overview has $command" grep -q "^  $command  " "$work/help"
done <"$work/commands"
check "what is for shells is hidden" lacks 'complete words' "$work/help" "$work/page"
"$bin" generate --help >"$work/help"
check "an axis is marked" grep -q '^\* --steps N ' "$work/help"
check "what is none is not" grep -q '^  --batch N ' "$work/help"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
