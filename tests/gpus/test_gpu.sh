#!/bin/bash
# test_gpu.sh BINARY FAKES SOURCE_DIR - sdxl-lab gpu list, pick and watch with GPUs that a script makes up
# (fake_nvml.c). Prints "N passed, N failed".
bin=$(realpath "$1")
fakes=$(realpath "$2")
. "$(realpath "$3")/tests/e2e/common.sh"
export LD_LIBRARY_PATH=$fakes/new FAKE_NVML=$work/script
a=GPU-aaaaaaaa-0000-0000-0000-000000000001 b=GPU-bbbbbbbb-0000-0000-0000-000000000002
script() { printf '%s\n' "$@" >next && mv next script; }
lab() { "$bin" gpu "$@" --gpu-lock-dir "$work/locks"; }

script "gpu $a name=NVIDIA_H200 total=143771 used=30000 util=97 procs=1 temp=64 power=612000" \
    "gpu $b name=NVIDIA_H200 total=143771"
expect "list" 0 "$b" lab list
check "the busy one" grep -qE '^0 +NVIDIA H200 +30000 of 143771 MiB +97 % +1 +64 C, 612 W +busy' out
check "the idle one" grep -qE '^1 +NVIDIA H200 +3 of 143771 MiB +0 % +0 +30 C, 60 W +idle' out
expect "list at 80 columns" 0 "" env COLUMNS=80 "$bin" gpu list
check "no line is wider" [ "$(wc -L <out)" -le 80 ]
expect "list --json" 0 '"source": "NVML 550.54.15"' lab list --json
python3 - out "$b" <<'END' && ok "the document" || bad "the document"
import json, sys
gpus = json.load(open(sys.argv[1]))["gpus"]
assert [g["index"] for g in gpus] == [0, 1] and [g["idle"] for g in gpus] == [False, True]
assert gpus[0]["busy"] == "1 process, 29.3 GiB in use, 97 % busy" and gpus[0]["power_w"] == 612.0
assert gpus[1]["uuid"] == sys.argv[2] and gpus[1]["busy"] is None and gpus[1]["xid"] is None
assert gpus[1]["mig"] is False and gpus[1]["ecc"] is True and gpus[1]["memory_bytes"] == 143771 << 20
END

expect "pick" 0 "" lab pick
check "prints the index and nothing else" [ "$(cat out)" = 1 ]
expect "pick --uuid" 0 "" lab pick --uuid
check "prints the UUID and nothing else" [ "$(cat out)" = "$b" ]
expect "pick --json" 0 "\"uuid\": \"$b\"" lab pick --json
ln -s "$bin" gpu_pick && ln -s "$bin" gpu_status
expect "gpu_pick" 0 "1" ./gpu_pick
expect "gpu_pick --uuid" 0 "$b" ./gpu_pick --uuid
expect "gpu_status" 0 "busy" ./gpu_status
expect "thresholds" 0 "0" lab pick --idle-memory 40000 --idle-utilization 100 --allow-processes
script "gpu $a used=30822" "gpu $b mig=1"
expect "none is idle" 4 "no GPU is idle: 0: 30.1 GiB in use; 1: divided into instances (MIG mode)" lab pick
check "and nothing is printed" [ ! -s out ]
expect "none becomes idle" 4 "no GPU is idle" lab pick --wait 1s --interval 0.2
(sleep 1.5; script "gpu $a used=30822" "gpu $b") &
expect "one becomes idle" 0 "1" lab pick --wait --interval 0.2
wait
timeout -s TERM 2 "$bin" gpu pick --wait --allow-processes --idle-memory 0 >out 2>err
[ $? -eq 124 ] && [ ! -s out ] && grep -q interrupted err && ok "waiting ends at a signal" || bad "waiting ends at a signal"

# Locked by somebody: not picked, and said.
script "gpu $a" "gpu $b"
mkdir -p locks
python3 - "$work/locks/$a.lock" <<'END' &
import fcntl, os, struct, sys, time
fd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT, 0o666)
fcntl.fcntl(fd, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))  # F_OFD_SETLK
os.write(fd, b"process 4711 on host a since noon\nmore\n")
open("held", "w").close()
time.sleep(60)
END
holder=$!
while [ ! -e held ]; do sleep 0.05; done
touch no_folder
expect "who has locked what cannot be seen: nothing is picked" 6 "the folder of GPU locks" "$bin" gpu pick --gpu-lock-dir "$work/no_folder"
expect "but listed" 0 "" "$bin" gpu list --gpu-lock-dir "$work/no_folder"
expect "a locked one is listed as such" 0 "locked by process 4711 on host a since noon" lab list
expect "and not picked" 0 "1" lab pick
kill $holder
wait $holder 2>/dev/null
expect "until its holder is dead" 0 "0" lab pick

# watch
script "gpu $a" "gpu $b procs=2"
timeout -s INT 3 "$bin" gpu watch --interval 0.3 >out 2>err &
watcher=$!
sleep 1
script "gpu $a" "gpu $b" "xid $a 31"
wait $watcher
check "watch tells what changes" eval "grep -q '$b .*  2 processes' out && grep -q '$b .*  idle' out"
check "and what the driver reports" grep -qE "$a .* idle; Xid 31: a program's access" out
check "without codes for terminals" eval '! grep -q "$(printf "\033")" out'
"$bin" gpu watch --json --interval 0.1 2>err | head -2 >out
check "watch --json, a document a line" python3 -c 'import json; [json.loads(l)["time"] for l in open("out")]'
check "and ends with whoever reads" [ ! -s err ]
timeout -s INT 2 script -qec "'$bin' gpu watch --interval 0.2" /dev/null >out 2>err </dev/null
check "on a terminal it stays in its place" eval 'grep -q "$(printf "\033\\[H")" out && grep -q H200\\\|Fake out'

# Other sources
export LD_LIBRARY_PATH=$fakes/old
script "driver 304.137" "gpu $a util=3"
expect "a library of 2012" 0 '"source": "NVML 304.137"' lab list --json
export LD_LIBRARY_PATH=$fakes/new
script "init 9"
expect "no kernel module" 4 "the kernel's module is not loaded" lab list
script "init 18"
expect "an updated driver" 4 "it was updated while the old one ran" lab pick
script ""
expect "a driver without a GPU" 4 "there is an NVIDIA driver here, but no GPU" lab pick
expect "a driver without a GPU, listed" 0 "no GPU (NVML 550.54.15)" lab list
mkdir none bin && printf '' >none/libnvidia-ml.so.1
export LD_LIBRARY_PATH=$work/none PATH=$work/bin:$PATH
cat >bin/nvidia-smi <<END
#!/bin/sh
case \$1 in
*mig.mode*) [ ! -e old ] || { echo 'Field "mig.mode.current" is not a valid field to query.'; exit 2; } ;;
esac
case \$1 in
--query-compute-apps*) echo "gpu_uuid, pid"; echo "$a, 99" ;;
*) [ ! -e hangs ] || exec sleep 100
   [ ! -e says ] || { cat says; exit 9; }
   echo "index, uuid, name, memory.total [MiB], memory.used [MiB], utilization.gpu [%]"
   echo "0, $a, Tesla V100-SXM2-16GB, 16160, 11, 0"
   echo "1, $b, Tesla V100-SXM2-16GB, 16160, 11, 0" ;;
esac
END
chmod +x bin/nvidia-smi
expect "without NVML, by nvidia-smi" 0 '"source": "nvidia-smi"' lab list --json
expect "which counts processes" 0 "1" lab pick
touch old
expect "of a driver that knows no MIG" 0 "$b" lab pick --uuid
echo "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver." >says
expect "that does not work" 4 "nvidia-smi lists no GPUs: \"NVIDIA-SMI has failed" lab list
rm bin/nvidia-smi
PATH=$(echo "$PATH" | tr : '\n' | while read -r d; do [ -x "$d/nvidia-smi" ] || echo "$d"; done | paste -sd:)
expect "no driver at all" 4 "there is no NVIDIA driver here" lab list
expect "nor a pick" 4 "there is no NVIDIA driver here" lab pick --wait

# Mistyped
expect "a length of time" 2 '--wait: "soon" is no length of time; expected one like 90s' lab pick --wait soon
expect "out of range" 2 '--idle-utilization: "101"' lab pick --idle-utilization 101
expect "a wrong word" 2 "gpu: say what: list, pick, watch" lab
expect "of others" 2 "did you mean gpu list?" "$bin" nvidia-smi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
