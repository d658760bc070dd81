#!/bin/sh
# run_dgx_job.sh - wait for an idle GPU, draw on it, begin anew: a headless job of sdxl-lab again and
# again on a shared machine, each time on a GPU that nobody uses.
#
#   PROMPT="a lighthouse at dusk" run_dgx_job.sh                    # once
#   RUNS=100 GPUS=4 PROMPT=... run_dgx_job.sh                       # a hundred times, on up to four GPUs
#   ENGINE=docker IMAGE=sdxl-lab GPUS=all RUNS=0 ... run_dgx_job.sh # in containers, until it is stopped
#   run_dgx_job.sh generate --job night.yaml                        # a command instead of variables
#
# RUNS    how often, 0 until it is stopped (1)      GPUS   auto, a number, all, UUIDs (auto)
# ENGINE  none, docker, podman, enroot (none)       IMAGE  of the container (sdxl-lab)
# FOREIGN go-on, yield: when another process comes to a GPU of ours (yield: gone on with elsewhere)
# OUTPUT_DIR, INSTANCE_ID, GPU_LOCK_DIR, HF_HOME and the settings of a headless run: docs/HEADLESS.md
#
# It ends after the picture at hand with kill -USR1, at once with Ctrl-C.
set -eu
lab=${SDXL_LAB:-sdxl-lab}
command -v "$lab" >/dev/null || { echo "run_dgx_job.sh: there is no $lab in PATH; set SDXL_LAB" >&2; exit 2; }
set -- -- "$@"
[ $# -gt 1 ] || set --
if [ "${ENGINE:-none}" != none ]; then
    set -- --container "$ENGINE" --container-image "${IMAGE:-sdxl-lab}" "$@"
fi
exec "$lab" run --repeat "${RUNS:-1}" --gpus "${GPUS:-auto}" --on-foreign-process "${FOREIGN:-yield}" "$@"
