#!/bin/sh
# check.sh SOURCE_DIR CC - the rules of ARCHITECTURE.md and CONTRIBUTING.md that a machine can check in
# the sources: a file includes only from its own folder and from lower layers, inside a folder only from
# lower rooms; files include each other in no circle that circles.txt does not explain; libraries stay in
# their folders; a tag is defined once; a file opens with what it is for; no file above 800 lines, no
# function above 60; each header compiles alone. Prints what is wrong and "N passed, N failed".
set -u
here=$(cd "$(dirname "$0")" && pwd)
cd "$1" || exit 2
cc=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0
bad() { failed=$((failed + 1)); echo "FAIL $1"; }
# judge NAME: what a check wrote to $work/found, each line a failure; none is one passed
judge() {
    if [ -s "$work/found" ]; then
        while IFS= read -r line; do bad "$1: $line"; done <"$work/found"
    else passed=$((passed + 1)); fi
}

# The table of layers. "folder room room ...": rooms of a folder, each above the ones before it; a room
# in brackets sees only the folder itself. Files directly in the folder are below all of them.
layer() {
    case $1 in
    base) echo 0 ;; tensor | image) echo 1 ;; weights | text | prompts | backend) echo 2 ;;
    hub | model | sampler) echo 3 ;; engine) echo 4 ;; lab | gpu) echo 5 ;;
    jobs | insight) echo 6 ;; http) echo 7 ;; cli) echo 8 ;; *) echo none ;;
    esac
}
rooms_of() {
    case $1 in
    hub) echo download ;;
    lab) echo data settings cell log run past ;;
    jobs) echo night queue ;;
    insight) echo marks index stats taste report ;;
    backend) echo '[reference] [cpu] [cuda]' ;;
    http) echo 'api openai a1111' ;;
    cli) echo '[shells]' ;;
    esac
}
# rank FOLDER ROOM: 0 for the folder itself
rank() {
    [ -n "$2" ] || { echo 0; return; }
    n=0
    for room in $(rooms_of "$1"); do
        n=$((n + 1))
        case $room in "$2" | "[$2]") echo $n; return ;; esac
    done
    echo none
}
is_closed() { case " $(rooms_of "$1") " in *"[$2]"*) return 0 ;; *) return 1 ;; esac; }
room_in() { # FOLDER PATH: the room of a path from src/, or nothing
    rest=${2#"$1"/}
    case $rest in */*) echo "${rest%%/*}" ;; esac
}

# Headers of libraries, by how they begin, and the folder they are for.
library_rules='oneapi/=backend/cpu cuda=backend/cuda cublas=backend/cuda cudnn=backend/cuda png.h=image jpeglib.h=image
    webp/=image cairo=image fontconfig/=image yaml.h=base openssl/=base sqlite3.h=insight microhttpd.h=http
    curl/=hub/download nvml.h=gpu'

for file in $(find src -name '*.[ch]' -o -name '*.cu' -o -name '*.cuh' | sort); do
    sed -n 's/^ *# *include *"\([^"]*\)".*/\1/p' "$file" >"$work/includes"
    sed "s|^|${file#src/} |" "$work/includes" >>"$work/all"
    folder=${file#src/} folder=${folder%%/*}
    mine=$(layer "$folder")
    [ "$mine" != none ] || { bad "$file: the folder $folder has no layer"; continue; }
    room=$(room_in "$folder" "${file#src/}") my_rank=$(rank "$folder" "$room")
    [ "$my_rank" != none ] || { bad "$file: the folder $folder/$room has no place among its rooms"; continue; }
    before=$failed
    while IFS= read -r include; do
        case $include in sdxl/*) continue ;; */*) ;; *) bad "$file: include \"$include\" by its path from src/"; continue ;; esac
        other=${include%%/*}
        if [ "$other" != "$folder" ]; then
            theirs=$(layer "$other")
            [ "$theirs" != none ] && [ "$theirs" -lt "$mine" ] ||
                bad "$file: layer $mine ($folder) includes \"$include\" of layer $theirs"
            continue
        fi
        their_room=$(room_in "$folder" "$include")
        [ "$their_room" = "$room" ] && continue
        [ -n "$their_room" ] || continue
        their_rank=$(rank "$folder" "$their_room")
        if [ "$their_rank" = none ] || [ "$their_rank" -ge "$my_rank" ]; then
            # The folder's own files are below its rooms, unless they put the rooms together.
            [ "$my_rank" = 0 ] && is_closed "$folder" "$their_room" && continue
            bad "$file: $folder/$room includes \"$include\" of a room that is not below"
        elif is_closed "$folder" "$room"; then
            bad "$file: $folder/$room includes \"$include\": it may see $folder/ alone"
        fi
    done <"$work/includes"
    sed -n 's/^ *# *include *<\([^>]*\)>.*/\1/p' "$file" >"$work/libraries"
    while IFS= read -r include; do
        for rule in $library_rules; do
            case $include in "${rule%%=*}"*) ;; *) continue ;; esac
            case $file in src/${rule#*=}/*) ;; *) bad "$file: only src/${rule#*=} may include <${rule%%=*}...>" ;; esac
        done
    done <"$work/libraries"
    case $file in
    src/backend/*) ;;
    *) ! grep -n '^ *# *if.*CUDA' "$file" >"$work/found" || bad "$file: #if CUDA belongs into backend/" ;;
    esac
    lines=$(wc -l <"$file")
    [ "$lines" -le 800 ] || bad "$file: $lines lines, at most 800"
    [ $failed -ne $before ] || passed=$((passed + 1))
done

# Circles.
sed -E 's/\.(cuh?|[ch])\b//g' "$work/all" | grep -v ' sdxl/' >"$work/units"
awk -f "$here/circles.awk" "$here/circles.txt" "$work/units" | sed 's/^FAIL //' >"$work/found"
judge circles

# Tags of the program are global in a reader's mind: one meaning each. Other tags may be at home in
# several sources, but in one header only.
grep -oE '^(typedef )?(struct|enum|union) [a-z_0-9]+ \{' -r src include --include='*.[ch]' |
    sed -E 's/^([^:]*):(typedef )?(struct|enum|union) ([a-z_0-9]+) \{/\4 \1/' |
    awk '$1 ~ /^xl_/ || $2 ~ /\.h$/ { n[$1]++; where[$1] = where[$1] " " $2 }
        END { for (tag in n) if (n[tag] > 1) print tag " is defined in" where[tag] }' | sort >"$work/found"
judge tags

# "/* name.c - what for": the first comment says more than the name.
for file in $(find src include bench tools tests examples -name '*.[ch]' -o -name '*.cu' -o -name '*.cuh' | sort); do
    awk -v name="$(basename "$file")" '
        { text = text " " $0 }
        /\*\// { exit }
        END {
            sub(/\*\/.*/, "", text); gsub(/[ *\/]+/, " ", text); sub(/^ /, "", text)
            if (index(text, name " - ") != 1) print "does not open with \"" name " - what it is for\""
            else if (split(text, words, " ") < 6) print "opens with hardly more than its name"
        }' "$file" | sed "s|^|$file |"
done >"$work/found"
judge openings

awk 'FNR == 1 { start = 0 } /^[A-Za-z_]/ { start = FNR; name = $0 }
    /^}$/ { if (FNR - start >= 60) print FILENAME ": " FNR - start + 1 " lines: " name }' \
    $(find src bench tools examples -name '*.c' -o -name '*.cu') >"$work/found"
judge "functions of at most 60 lines"

# Each header by itself, on all cores. Where there is no toolkit, what includes it is not compiled by the
# program either; headers of kernels are compiled by their sources with instruction-set flags.
headers='find include src -name *.h'
echo '#include <cuda_runtime_api.h>' | "$cc" -E -x c - >/dev/null 2>&1 || headers="$headers -not -path src/backend/cuda/*"
set -f
$headers | xargs -P "$(nproc)" -n 1 sh -c 'found=$("$1" -std=gnu17 -D_GNU_SOURCE -fsyntax-only -Wall -Werror \
    -Wno-pragma-once-outside-header -Wno-unused-function -x c -Iinclude -Isrc "$2" 2>&1 | head -3)
    [ -z "$found" ] && echo "ok $2" || echo "FAIL $2 does not compile alone: $found"' sh "$cc" >"$work/headers"
set +f
grep -v '^ok ' "$work/headers"
passed=$((passed + $(grep -c '^ok ' "$work/headers"))) failed=$((failed + $(grep -c '^FAIL ' "$work/headers")))
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
