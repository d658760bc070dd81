#!/bin/sh
# check.sh BINARY SOURCE_DIR - what README.md, ARCHITECTURE.md, CONTRIBUTING.md and docs/ say and a machine
# can look up: files, links, make targets, options, exit codes, numbers of things, the table of layers,
# what CI runs. (docs/COMMAND.md, the manual and docs/HEADLESS.md's lists are tests/e2e/test_manual.sh's.)
# Prints what is wrong and "N passed, N failed".
set -u
bin=$(realpath "$1")
cd "$2" || exit 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0
ok() { passed=$((passed + 1)); }
bad() { failed=$((failed + 1)); echo "FAIL $1"; }
equal() { # NAME, what a document says, what is so
    if [ "$2" = "$3" ]; then ok; else bad "$1: it says \"$2\", but it is \"$3\""; fi
}
pages="README.md ARCHITECTURE.md CONTRIBUTING.md $(ls docs/*.md)"
# Everything that the repository holds, built things and version control left out.
find . \( -name '.git' -o -name 'build*' -o -name '*.o' \) -prune -o -print | sed 's|^\./||' >"$work/files"

for page in $pages; do
    here=$(dirname "$page")
    for target in $(grep -oE '\]\([^)#][^)]*\)' "$page" | sed 's/^](//; s/[)#].*//'); do
        case $target in http*) continue ;; esac
        if [ -e "$here/$target" ]; then ok; else bad "$page: the link $target leads nowhere"; fi
    done
    # `name.c`, `tests/x/`, `.ci/run`: a path from the top, or the end of one (`ops.h`, `reference/`).
    for path in $(grep -oE '`[^` ]+`' "$page" | tr -d '`' |
        grep -E '^[A-Za-z0-9_./-]+$' |
        grep -E '\.(c|h|sh)$|^(\.ci|src|tests|tools|bench|data|docs|include|examples|web|models|packaging)/' |
        grep -v '/NAME\.\|^models/unet\|^bench/$' | sort -u); do
        if [ -e "$path" ] || grep -qE "(^|/)$(echo "${path%/}" | sed 's/\./\\./g')$" "$work/files"; then ok
        else bad "$page: there is no $path"; fi
    done
    for target in $(grep -oE '(^|`)make [a-z]+' "$page" | sed 's/.*make //' | sort -u); do
        if grep -qE "^([a-z ]+ )?$target( [a-z ]+)?:( |$)" Makefile; then ok
        else bad "$page: \"make $target\": Makefile has no such target"; fi
    done
    [ "$page" = docs/COMMAND.md ] && continue
    for option in $(grep -oE '(^|[^A-Za-z0-9-])--[a-z][a-z-]+' "$page" | sed 's/.*--/--/' | sort -u); do
        case $option in
        --preset | --build | --cflags | --libs | --rm | --env-file | --read-only | --tmpfs | --user | --build-arg | --target) continue ;; # of cmake, pkg-config, docker
        --array | --cpus-per-task | --exclusive | --requeue | --signal) continue ;; # of sbatch
        esac
        if grep -qE -- "$option\b" docs/COMMAND.md; then ok; else bad "$page: there is no option $option"; fi
    done
done

# Commands in fenced blocks are commands of the program.
"$bin" manual >"$work/manual"
sed 's/\\f[BIR]//g; s/\\-/-/g' "$work/manual" | sed -n '/^.SH COMMANDS/,/^.SH OPTIONS/s/^.SS //p' >"$work/commands"
grep -ohE '(build/|^)sdxl-lab [a-z]+( [a-z]+)?' $pages | sed 's/.*sdxl-lab //' | sort -u >"$work/said"
while read -r first second; do
    if grep -qxE "$first( $second)?( .*)?" "$work/commands"; then ok
    else bad "documents speak of the command \"$first $second\""; fi
done <"$work/said"

# README's exit codes are those of the program, in its words.
sed 's/\\f[BIR]//g; s/\\-/-/g' "$work/manual" | sed -n '/^.SH EXIT/,/^.SH EXAMPLES/p' |
    awk '/^\.TP/ { if (code != "") print code "|" text; code = text = ""; next }
        /^\.SH/ { next } code == "" { code = $0; next } { text = text (text == "" ? "" : " ") $0 }
        END { print code "|" text }' | grep . >"$work/codes"
for code in 0 1 2 3 4 5 6; do
    equal "README.md, exit code $code" \
        "$(sed -n "s/^| $code | \(.*\) |\$/\1/p" README.md)" "$(sed -n "s/^$code|//p" "$work/codes")"
done
equal "README.md, the exit codes" \
    "$(sed -n 's/^| \([0-9, ]*\) | .*/\1/p' README.md | tr -d ' ' | tr ',' '\n' | tr '\n' ' ')" \
    "$(cut -d'|' -f1 "$work/codes" | tr '\n' ' ')"

# Numbers of things.
number() { # of words or digits
    n=0
    for word in zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen \
        sixteen seventeen eighteen nineteen twenty; do
        [ "$1" = $word ] && { echo $n; return; }
        n=$((n + 1))
    done
    echo "$1"
}
export HOME=$work XDG_CONFIG_HOME=$work
count() { env -u HF_HOME -u HF_HUB_CACHE "$bin" "$1" list --json | grep -c "^ *\"$2\":"; }
styles=$(($(count profiles about) - 1)) models=$(count models repository) # "None (raw)" is no style
said=0
for words in $(grep -ohE '[0-9]{2,} (styles|profiles)\b|[a-z0-9]+ models by name' README.md docs/*.md \
    models/lab-tiny-xl/README.md | tr ' ' '_'); do
    said=$((said + 1))
    n=$(number "${words%%_*}")
    case $words in
    *_models_*) case $n in *[!0-9]*) said=$((said - 1)) ;; *) equal "models by name" "$n" "$models" ;; esac ;;
    *) equal "styles" "${words%%_*}" "$styles" ;;
    esac
done
[ $said -ge 4 ] || bad "numbers of styles and models are looked for in the wrong way: $said found"

# The table of layers: its rows are those that tests/layers enforces, and every folder has one.
sed -n 's/^| \([0-9]\) | `src\/\([a-z]*\)\/` | .*/\2 \1/p' ARCHITECTURE.md | sort >"$work/told"
layers=$(sed -n '/^layer() {/,/^}/p' tests/layers/check.sh)
for folder in $(cd src && ls -d */ | tr -d /); do
    equal "ARCHITECTURE.md, the layer of src/$folder" "$(sed -n "s/^$folder //p" "$work/told")" \
        "$(eval "$layers"; layer "$folder")"
    rooms=$(eval "$(sed -n '/^rooms_of() {/,/^}/p' tests/layers/check.sh)"; rooms_of "$folder")
    for room in $(cd "src/$folder" && ls -d */ 2>/dev/null | tr -d /); do
        [ "$folder" = cli ] && continue
        if grep "^| . | .src/$folder/" ARCHITECTURE.md | grep -q "\`$room/\`"; then ok
        else bad "ARCHITECTURE.md says nothing of src/$folder/$room"; fi
        case " $rooms " in *" $room "* | *"[$room]"*) ok ;; *) bad "src/$folder/$room has no place among its rooms" ;; esac
    done
done
while read -r folder layer; do
    if [ -d "src/$folder" ]; then ok; else bad "ARCHITECTURE.md: layer $layer has no src/$folder"; fi
done <"$work/told"

# CONTRIBUTING.md: the presets, what CI runs, the folders of tests.
for preset in $(sed -n 's/.*"name": "\([a-z]*\)".*/\1/p' CMakePresets.json); do
    if grep -q "\`$preset\`" CONTRIBUTING.md; then ok; else bad "CONTRIBUTING.md says nothing of the preset $preset"; fi
done
for words in './run test' 'CFLAGS=-Werror' 'tools/clang_check build' 'clang-format --dry-run --Werror' 'make asan' 'make tsan'; do
    if grep -v '^ *#' .ci/run | grep -qF -- "$words"; then ok; else bad ".ci/run does not do what CONTRIBUTING.md says: $words"; fi
done
for folder in $(cd tests && ls -d */ | grep -v '^data/'); do
    if grep -q "\`tests/$folder\`" CONTRIBUTING.md; then ok; else bad "CONTRIBUTING.md says nothing of tests/$folder"; fi
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
