#!/bin/sh
# test_data.sh BINARY SOURCE_DIR - profiles, models and presets as a person uses them: lists, own files,
# imports, mistakes. Prints a line per check and "N passed, N failed".
set -u
bin=$1
repo=$2/tests/data/models/repo
work=$(mktemp -d)
trap 'chmod -R u+w "$work" 2>/dev/null; rm -rf "$work"' EXIT
passed=0 failed=0
unset HF_HOME HF_HUB_CACHE HUGGINGFACE_HUB_CACHE XDG_CACHE_HOME XDG_CONFIG_HOME
export HOME=$work SDXL_LAB_SHARE=$work/share
own=$work/.config/sdxl-lab
mkdir -p "$own"

ok() { passed=$((passed + 1)); echo "ok   $1"; }
bad() { failed=$((failed + 1)); echo "FAIL $1"; sed 's/^/     /' "$work/err" | head -5; }

# expect NAME CODE TEXT ARGS...: the exit code, and TEXT on stdout (code 0) or in one line on stderr
expect() {
    name=$1 code=$2 text=$3
    shift 3
    "$bin" "$@" >"$work/out" 2>"$work/err" </dev/null
    got=$?
    stream=$work/err
    [ "$code" -ne 0 ] || stream=$work/out
    if [ $got -ne "$code" ]; then bad "$name: exit $got, expected $code"
    elif [ -n "$text" ] && ! grep -qF -- "$text" "$stream"; then bad "$name: no \"$text\""
    elif [ "$code" -ne 0 ] && [ "$(grep -c . "$work/err")" -ne 1 ]; then bad "$name: not one line"
    else ok "$name"; fi
}
check() { # NAME, then a command that must succeed
    name=$1
    shift
    if "$@" >/dev/null 2>&1; then ok "$name"; else bad "$name"; fi
}
clean() { # no control character but newlines
    ! LC_ALL=C tr -d '\n' <"$1" | LC_ALL=C grep -q '[[:cntrl:]]'
}

# Profiles
expect "profiles list" 0 "Ink & Screentone Manga" profiles list
check "all 28 and the raw one" test "$(grep -c '^  ' "$work/out")" -eq 29
check "no colours in a pipe" clean "$work/out"
expect "profiles list --json" 0 '"name": "H.R. Giger"' profiles list --json
check "29 in JSON" test "$(grep -c '"name"' "$work/out")" -eq 29
expect "profiles show" 0 "gothic fairytale, elongated" profiles show "tim burton"
expect "profiles show of a stack" 0 "H.R. Giger" profiles show "Watercolor + giger"
expect "profiles show of several" 0 "Watercolor" profiles show giger watercolor --json
expect "profiles show of a slip" 2 'did you mean "Frank Frazetta"?' profiles show frazzetta
expect "profiles show of nothing" 2 "expected NAME..." profiles show
expect "profiles of nothing" 2 "profiles: say what: list, show, import" profiles
expect "profiles of something else" 2 'found "lst"' profiles lst
expect "an option that is not one" 2 "no such option" profiles list --steps 3
expect "the help says what it takes" 0 "profiles show NAME..." profiles show --help

# Own profiles
printf 'Watercolor: {prompt: mine}\nNew One: {prompt: "{prompt}, new", steps: 12}\n' >"$own/profiles.yaml"
expect "an own profile overrides" 0 "mine" profiles show watercolor
expect "an own profile adds" 0 "New One" profiles list
printf 'Third: {prompt: third}\n' >"$work/extra.yaml"
expect "a file that was asked for adds" 0 "Third" profiles list --profiles-file "$work/extra.yaml"
printf 'A:\n  prompt: x\n  stepps: 3\n' >"$own/profiles.yaml"
expect "a mistake has file, line and column" 2 "profiles.yaml:3:3: A: stepps: no such field; did you mean steps?" \
    profiles list
printf 'A:\n\tprompt: x\n' >"$own/profiles.yaml"
expect "a tab is named" 2 "profiles.yaml:2:1: not valid YAML: the line begins with a tab" profiles list
printf 'A:\n  prompt: "\\e[31mred"\n' >"$own/profiles.yaml"
expect "an escape is refused" 2 "U+001B" profiles list
check "and does not reach the terminal" clean "$work/err"
rm "$own/profiles.yaml"

# Imports
printf 'name,prompt,negative_prompt\nMy Ink,"ink of {prompt}, a","b, c"\n\033[31mEvil,x,\n=cmd(),y,\n' \
    >"$work/styles.csv"
expect "profiles import of CSV" 0 "2 of 3 profiles imported" profiles import "$work/styles.csv"
check "what is left out is said" grep -q 'line 3, "?\[31mEvil" is left out: .*U+001B' "$work/err"
check "and terminals stay clean" clean "$work/err"
expect "imported profiles are there" 0 "ink of {prompt}, a" profiles show "my ink"
expect "a formula is a text" 0 "=cmd()" profiles show "=cmd()"
expect "twice is refused" 2 "--force" profiles import "$work/styles.csv"
expect "unless forced" 0 "2 of 3" profiles import "$work/styles.csv" --force
printf '[{"name": "foo", "prompt": "x {prompt}", "negative_prompt": "y"}, {"name": "Photoreal", "prompt": "z"}]' \
    >"$work/fooocus.json"
expect "profiles import of JSON" 0 '"foo"' profiles import "$work/fooocus.json" --json
check "taken names are listed" grep -q 'there is a profile.*Photoreal' "$work/out"
expect "profiles import of nothing" 2 "expected FILE" profiles import
expect "profiles import of two files" 2 "expected one FILE, found 2" profiles import a b
expect "profiles import of no file" 2 "cannot open" profiles import "$work/nowhere.csv"
expect "profiles import of a picture" 2 "not UTF-8" profiles import "$2/tests/data/images/rgb-8.png"
if [ "$(id -u)" -ne 0 ]; then # root writes anywhere
    chmod a-w "$own/profiles.d"
    cp "$work/styles.csv" "$work/other.csv"
    sed -i 's/My Ink/Other Ink/; s/=cmd()/=cmd2()/' "$work/other.csv"
    expect "a folder that cannot be written" 6 "cannot write" profiles import "$work/other.csv"
    chmod u+w "$own/profiles.d"
fi

# Models
expect "models list" 0 "stabilityai/stable-diffusion-xl-base-1.0" models list
check "Turbo is marked" grep -q 'sai-nc-community (non-commercial)' "$work/out"
check "a LoRA is said to be one" grep -q 'nerijs/pixel-art-xl .*lora .*not cached' "$work/out"
expect "models list --verbose says why" 0 "not in the Hugging Face cache" models list --verbose
expect "models list --json" 0 '"state": "not cached"' models list --json
mkdir -p "$work/share/models"
ln -s "$repo" "$work/share/models/lab-tiny-xl"
expect "the embedded model" 0 "ready, " models list
printf 'Mine: {folder: "%s", licence: mine}\n' "$repo" >"$own/models.yaml"
check "an own model" sh -c "'$bin' models list | grep -q '^Mine .* mine .*ready'"
printf 'Mine: {kind: lora}\n' >"$own/models.yaml"
expect "a mistake in it" 2 "models.yaml:1:1: Mine: expected repo" models list
rm "$own/models.yaml"

# Presets
expect "presets list" 0 "1344x768" presets list
expect "presets list --json" 0 '"name": "21:9"' presets list --json
printf 'wall: {width: 1920, height: 1088}\n' >"$own/presets.yaml"
expect "an own preset" 0 "1920x1088" presets list
check "a full disk is an error" sh -c "'$bin' presets list >/dev/full 2>'$work/err'; test \$? -eq 6"

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
