# common.sh - for the tests of the command to begin with, as sourced text: an environment that says
# nothing, a folder of its own to work in, and checks that print a line each and are counted in $passed
# and $failed. Standard output and error of what `expect` runs are in the files out and err.
for name in $(env | cut -d= -f1 | grep -E '^(HEADLESS|PROMPT|LORA|EMBEDDING|VAE$|NEGATIVE|MODE|STYLE|STEPS|SEED|WIDTH|HEIGHT|SIZE|GUIDANCE|CFG_|BATCH|INIT_|IMG2IMG|RUN_ALL|SCHEDULER|OUTPUT_DIR|INSTANCE|CONTAINER|FROM|HF_|HUGGING|XDG_)'); do
    unset "$name"
done
. "$(dirname "$0")/../sanitized.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0
export HOME=$work
cd "$work" || exit 1

ok() { passed=$((passed + 1)); echo "ok   $1"; }
bad() { failed=$((failed + 1)); echo "FAIL $1"; head -5 out err 2>/dev/null | cut -c1-300 | cat -v | sed 's/^/     /'; }
# expect NAME CODE TEXT COMMAND...: the exit code, and TEXT on stdout or stderr (TEXT may be empty)
expect() {
    local name=$1 code=$2 text=$3
    shift 3
    "$@" >out 2>err </dev/null
    local got=$?
    if [ $got -ne "$code" ]; then bad "$name: exit $got, expected $code"
    elif [ -n "$text" ] && ! grep -qF -- "$text" out err; then bad "$name: no \"$text\""
    else ok "$name"; fi
}
check() { # NAME COMMAND...: it succeeds
    local name=$1
    shift
    if "$@" >/dev/null 2>&1; then ok "$name"; else bad "$name"; fi
}

# --- Pictures ---
pixels() { # FILE...: a line a picture, equal where the pixels are
    python3 - "$@" <<'END'
import hashlib, struct, sys
for path in sys.argv[1:]:
    data, at, sha = open(path, "rb").read(), 8, hashlib.sha256()
    while at < len(data):
        n, kind = struct.unpack(">I4s", data[at:at + 8])
        if kind == b"IDAT":
            sha.update(data[at + 8:at + 8 + n])
        at += n + 12
    print(sha.hexdigest())
END
}
same() { [ -f "$1" ] && [ -f "$2" ] && [ "$(pixels "$1")" = "$(pixels "$2")" ]; }
differ() { [ -f "$1" ] && [ -f "$2" ] && [ "$(pixels "$1")" != "$(pixels "$2")" ]; }
one() { find "$1" -name '*.png' ! -name 'sheet_*' | head -1; } # DIR: its picture
