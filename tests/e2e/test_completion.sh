#!/bin/sh
# test_completion.sh BINARY - what bash, zsh and fish make of TAB: bash through COMPREPLY, zsh on a
# terminal of its own, fish through complete -C. Prints a line per check and "N passed, N failed".
set -u
bin=$1
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0
export HOME="$work" XDG_CONFIG_HOME="$work/config" LC_ALL=C.UTF-8
PATH=$(cd "$(dirname "$bin")" && pwd):$PATH
export PATH
unset HF_HOME HF_HUB_CACHE HUGGINGFACE_HUB_CACHE XDG_CACHE_HOME XDG_DATA_HOME

mkdir -p "$work/config/sdxl-lab" "$work/photos"
cat >"$work/config/sdxl-lab/profiles.yaml" <<'END'
'It''s "100%" \ $HOME; `x`':
  prompt: awkward
'Ink + Wash (2)':
  prompt: ink
'R&D [draft] * ? # ! ~ < > | {a}':
  prompt: draft
END
cat >"$work/extra.yaml" <<'END'
Zebra Stripes:
  prompt: stripes
END
: >"$work/photos/a cat.png"
cd "$work/photos" || exit 2

# check NAME EXPECTED GOT
check() {
    if [ "$2" = "$3" ]; then
        passed=$((passed + 1))
        echo "ok   $1"
    else
        failed=$((failed + 1))
        echo "FAIL $1"
        echo "     expected: $2"
        echo "     got:      $3"
    fi
}
# ask WORD...: the candidates without what is said about them, a blank between two
ask() { sdxl-lab complete words -- sdxl-lab "$@" | cut -f1 | grep . | tr '\n' ' ' | sed 's/ $//'; }
wishes() { sdxl-lab complete words -- sdxl-lab "$@" | sed -n 's/^\t//p' | tr '\n' ' ' | sed 's/ $//'; }

# ---- What is known ----
check "commands" "generate" "$(ask gen)"
check "every first word is offered once" \
    "$(ask '' | tr ' ' '\n' | grep -v -- -- | sort -u | tr '\n' ' ')" \
    "$(ask '' | tr ' ' '\n' | grep -v -- -- | sort | tr '\n' ' ')"
check "what is for shells is not offered" "completion" "$(ask compl)"
check "second words" "list show import" "$(ask profiles '')"
check "flags without a command are those of generate" "--profile --profiles-file --prompt --prompt-generator --prompt-syntax" \
    "$(ask --pro | tr ' ' '\n' | sort | tr '\n' ' ' | sed 's/ $//')"
check "a command offers only its own options" "--seed" "$(ask inspect noise --se)"
check "an option that is given is not offered again" "" "$(ask generate --steps 3 --ste)"
check "one that may be repeated is" "--sweep" "$(ask generate --sweep steps=3 --sw)"
check "choices" "torch-cpu torch-cuda" "$(ask generate --rng '')"
check "choices behind an equals sign" "--rng=torch-cuda" "$(ask generate --rng=torch-cud)"
check "samplers" "dpmpp-2m-karras" "$(ask generate --scheduler dpmpp-2m-k)"
check "profiles" "Tim Burton" "$(ask generate --profile 'Tim B')"
check "whatever the case and the accents" "Children’s Book Illustration" \
    "$(ask generate --profile "children's")"
check "a stack of profiles" "Watercolor + Tim Burton" "$(ask generate --profile 'Watercolor + T')"
check "a profile with a plus in its name" "Ink + Wash (2)" "$(ask generate --profile 'Ink + Wash')"
check "profiles of a file on the line" "Zebra Stripes" \
    "$(ask generate --profiles-file ../extra.yaml --profile Ze)"
check "models by key" "SDXL Turbo" "$(ask generate --model 'SDXL T')"
check "models by repository" "stabilityai/sdxl-turbo" "$(ask generate --model stabilityai/sdxl-t)"
check "sizes" "16:9" "$(ask generate --size 16:)"
check "axes" "guidance-rescale=" "$(ask generate --sweep guidance-)"
check "only axes" "" "$(ask generate --sweep devi)"
check "an axis is not finished by its name" "open" "$(wishes generate --sweep guidance-)"
check "values of an axis" "profile=Watercolor" "$(ask generate --sweep profile=Waterc)"
check "of what is compared, too" "--dtype=f32,bf16" "$(ask compare --dtype=f32,bf)"
check "but not of what is drawn" "" "$(ask generate --dtype=f32,bf)"
check "values behind a comma" "rng=torch-cpu,torch-cuda" "$(ask generate --sweep rng=torch-cpu,torch-cud)"
check "all of them" "model=all" "$(ask generate --sweep model=al)"
check "numbers have no candidates" "" "$(ask generate --steps '')$(wishes generate --steps '')"
check "files" "files" "$(wishes generate --init-image '')"
check "folders" "dirs" "$(wishes generate --output-dir '')"
check "a folder as a model" "dirs" "$(wishes generate --model ./)"
check "words of a command: profiles" "Tim Burton" "$(ask profiles show 'Tim B')"
check "words of a command: files" "files" "$(wishes verify a.png '')"
check "words of a command: folders" "dirs" "$(wishes resume '')"
check "words of a command: choices" "zsh" "$(ask completion z)"
check "only one word where only one fits" "--quiet" "$(ask resume run --qui)"
check "behind -- there are only words" "" "$(ask profiles show -- --js)"
check "nonsense completes to nothing" "" "$(ask paint --pro)$(ask profiles paint '')"

# ---- The shells ----
for shell in bash zsh fish; do
    if ! command -v $shell >/dev/null 2>&1; then
        echo "skip $shell: not installed"
        continue
    fi
    sdxl-lab completion $shell >"$work/completion.$shell"
    "$here/completion_$shell" "$work" >"$work/out" 2>"$work/err" || echo "exit $?" >>"$work/out"
    cat "$work/out"
    good=$(grep -c '^ok ' "$work/out")
    bad=$(grep -c '^FAIL\|^exit' "$work/out")
    [ "$good" -gt 0 ] || bad=$((bad + 1))
    [ "$bad" -eq 0 ] || sed 's/^/     /' "$work/err" | head -20
    passed=$((passed + good)) failed=$((failed + bad))
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
