# cluster.sh - a Slurm of one node and no privileges, as sourced text: its daemons, their state and their
# logs lie in one folder, everything speaks on 127.0.0.1, and its GPUs are links to /dev/null.
#
#   cluster_start DIR GPUS    start slurmctld and slurmd; SLURM_CONF is set. Fails with a reason in $why
#   cluster_node              start slurmd (again)
#   cluster_stop              end what was started
#
# Authentication is none and accounting is none, so neither munge nor a database has to run; and no
# cgroups: a job could open another GPU, only CUDA_VISIBLE_DEVICES tells them apart.

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

cluster_start() {
    local gpus=$2 host user memory i
    cluster=$(realpath -m "$1") host=$(hostname -s) user=$(id -un)
    memory=$(($(awk '/MemTotal/ { print $2 }' /proc/meminfo) / 1024 / 2))
    mkdir -p "$cluster"/{state,spool,log,run,dev}
    export SLURM_CONF=$cluster/slurm.conf
    : >"$cluster/plugstack.conf"
    echo 'CgroupAutomount=no' >"$cluster/cgroup.conf"
    # The number of a GPU is read off its file's name, and the file has to be a device.
    for ((i = 0; i < gpus; i++)); do ln -sfn /dev/null "$cluster/dev/nvidia$i"; done
    echo "NodeName=$host Name=gpu Type=fake File=$cluster/dev/nvidia[0-$((gpus - 1))]" >"$cluster/gres.conf"
    cat >"$SLURM_CONF" <<END
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$(free_port)
SlurmdPort=$(free_port)
SlurmUser=$user
SlurmdUser=$user
AuthType=auth/none
CredType=cred/none
SlurmctldPidFile=$cluster/run/slurmctld.pid
SlurmdPidFile=$cluster/run/slurmd.pid
SlurmdSpoolDir=$cluster/spool
StateSaveLocation=$cluster/state
SlurmctldLogFile=$cluster/log/slurmctld.log
SlurmdLogFile=$cluster/log/slurmd.log
PlugStackConfig=$cluster/plugstack.conf
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=bf_interval=1,sched_interval=1,sched_min_interval=100000,batch_sched_delay=0
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=5
MinJobAge=600
SlurmctldTimeout=10
SlurmdTimeout=15
GresTypes=gpu
NodeName=$host NodeAddr=127.0.0.1 CPUs=64 RealMemory=$memory Gres=gpu:fake:$gpus State=UNKNOWN
PartitionName=lab Nodes=$host Default=YES MaxTime=INFINITE State=UP
END
    slurmctld -c -f "$SLURM_CONF" >"$cluster/log/start" 2>&1 ||
        { why="slurmctld: $(tail -1 "$cluster/log/start")"; return 1; }
    cluster_node || return 1
    for ((i = 0; i < 600; i++)); do
        [ "$(sinfo --noheader --format=%T 2>/dev/null)" = idle ] && return 0
        sleep 0.1
    done
    why="the node is $(sinfo --noheader --format='%T %E' 2>&1)"
    return 1
}

cluster_node() {
    slurmd -f "$SLURM_CONF" -N "$(hostname -s)" >"$cluster/log/start" 2>&1 ||
        { why="slurmd: $(tail -1 "$cluster/log/start")"; return 1; }
}

cluster_pid() { cat "$cluster/run/$1.pid" 2>/dev/null; }

# Whatever still runs for jobs of this cluster: its processes have its slurm.conf in their environment.
cluster_processes() {
    local pid
    for pid in $(pgrep -f 'slurmstepd|slurm_script|job[0-9]+|sdxl-lab resume'); do
        tr '\0' '\n' 2>/dev/null <"/proc/$pid/environ" | grep -qxF "SLURM_CONF=$SLURM_CONF" && echo "$pid"
    done
}

cluster_stop() {
    local name pid
    [ -n "${cluster-}" ] || return 0
    scancel --user="$(id -un)" 2>/dev/null
    for name in slurmd slurmctld; do
        pid=$(cluster_pid $name)
        [ -z "$pid" ] || kill "$pid" 2>/dev/null
    done
    for pid in $(cluster_processes); do kill -KILL "$pid" 2>/dev/null; done
}
