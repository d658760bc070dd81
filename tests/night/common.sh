# common.sh - for the tests of nights, as sourced text behind tests/e2e/common.sh: GPUs that are made up,
# and what is asked of a night. $fakes and $source are set.
export LD_LIBRARY_PATH=$fakes/new FAKE_NVML=$work/script GPU_LOCK_DIR=$work/locks INSTANCE_ID=t
unset GPUS
repo=$source/tests/data/models/repo
gpu() { echo "gpu GPU-0000000$1-0000-0000-0000-000000000000 ${*:2}"; }
script() { printf '%s\n' "$@" >next && mv next script; }
# config FILE LINE...: a night of the smallest pictures
config() {
    local file=$1
    shift
    printf '%s\n' "model: $repo" "size: 128x128" "steps: 1" "dtype: f32" "interval: 0.3" "$@" >"$file"
}
children() { # PID: its worker processes
    local child words
    for child in $(cat /proc/"$1"/task/*/children 2>/dev/null); do
        mapfile -d '' words 2>/dev/null </proc/"$child"/cmdline || continue
        [ "${words[1]-}" != worker ] || echo "$child"
    done
}
pictures() { find "$1" -name '*.png' ! -name 'sheet_*' | wc -l; }
contents() { find "$1" -name '*.png' ! -name 'sheet_*' -exec sha256sum {} + | cut -d' ' -f1 | sort; }
# logged DIR: cells that the log has as drawn, a line each
logged() { cat "$1"/jobs_*.log | grep '"status":"XL_OK"' | grep -o '"cells":\[[^]]*' | grep -oE '[0-9a-f]{32}' | sort; }
# once DIR N: N pictures, each in the log once
once() {
    logged "$1" >logged.txt
    [ "$(pictures "$1")" -eq "$2" ] && [ "$(wc -l <logged.txt)" -eq "$2" ] && [ "$(sort -u logged.txt | wc -l)" -eq "$2" ]
}
member() { "$bin" night status "$1" --json | python3 -c "import json,sys; print(json.load(sys.stdin)['$2'])"; }
# until COMMAND...: wait until it succeeds, for half a minute
until_true() {
    for _ in $(seq 1 600); do
        ! "$@" >/dev/null 2>&1 || return 0
        sleep 0.05
    done
    return 1
}
has_drawn() { [ "$(pictures "$1")" -ge "$2" ]; }
