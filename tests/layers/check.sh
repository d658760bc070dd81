#!/bin/sh
# check.sh SOURCE_DIR CC - the rules of ARCHITECTURE.md that a machine can check: a file includes only
# from its own folder and from lower layers; libraries stay in their folders; each header compiles
# alone; no file above 800 lines. Prints what is wrong and "N passed, N failed".
set -u
cd "$1" || exit 2
cc=$2
passed=0 failed=0
bad() { failed=$((failed + 1)); echo "FAIL $1"; }

layer() {
    case $1 in
    base) echo 0 ;; tensor | image) echo 1 ;; weights | text | backend) echo 2 ;;
    hub | model | sampler) echo 3 ;; engine) echo 4 ;; lab | device) echo 5 ;; jobs | insight) echo 6 ;;
    http) echo 7 ;; cli) echo 8 ;; *) echo none ;;
    esac
}

for file in $(find src -name '*.[ch]'); do
    folder=${file#src/} folder=${folder%%/*}
    mine=$(layer "$folder")
    [ "$mine" != none ] || { bad "$file: the folder $folder has no layer"; continue; }
    before=$failed
    for include in $(sed -n 's/^ *# *include *"\([^"]*\)".*/\1/p' "$file"); do
        case $include in sdxl/*) continue ;; */*) ;; *) bad "$file: include \"$include\" by its path from src/"; continue ;; esac
        other=${include%%/*}
        [ "$other" = "$folder" ] && continue
        theirs=$(layer "$other")
        [ "$theirs" != none ] && [ "$theirs" -lt "$mine" ] ||
            bad "$file: layer $mine ($folder) includes \"$include\" of layer $theirs"
    done
    for rule in 'oneapi/:backend/cpu' 'cuda:backend/cuda' 'png.h:image' 'jpeglib.h:image' \
        'webp/:image' 'cairo:image' 'yaml.h:base' 'openssl/:base' 'sqlite3.h:insight' \
        'microhttpd.h:http' 'curl/:hub'; do
        grep -q "^ *# *include *<${rule%%:*}" "$file" || continue
        case $file in src/${rule#*:}/*) ;; *) bad "$file: only src/${rule#*:} may include <${rule%%:*}...>" ;; esac
    done
    lines=$(wc -l <"$file")
    [ "$lines" -le 800 ] || bad "$file: $lines lines, at most 800"
    [ $failed -ne $before ] || passed=$((passed + 1))
done
for header in $(find include src -name '*.h'); do
    # Headers of kernels are compiled by their sources with instruction-set flags.
    if "$cc" -std=gnu17 -D_GNU_SOURCE -fsyntax-only -Wall -Werror -Wno-pragma-once-outside-header \
        -Wno-unused-function -x c -Iinclude -Isrc "$header" 2>/tmp/header.$$; then passed=$((passed + 1))
    else bad "$header does not compile alone"; head -3 /tmp/header.$$; fi
done
rm -f /tmp/header.$$
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
