#!/bin/bash
# test_duel.sh PROGRAM SOURCE_DIR - duels on a terminal: a key is enough, pictures are shown where the
# terminal says that it can, and the terminal is as it was, however the program ends.
lab=$1
. "$(dirname "$0")/common.sh"
export OUTPUT_DIR=$work/pics INSTANCE_ID=test
command -v python3 >/dev/null || { echo "skip duel: python3 is not installed"; exit 77; }
"$lab" generate --prompt "a red house" --batch 4 --steps 1 --size 64x64 --seed 7 --quiet >drawn || exit 1

# on_terminal KEYS|SIGNAL COMMAND...: the exit code, whether the terminal's mode changed while it waited
# and is as before, and then what came out. A question is answered by the next key.
cat >terminal.py <<'END'
import os, pty, re, select, signal, sys, termios, time
answers, command = sys.argv[1], sys.argv[2:]
pid, master = pty.fork()
if not pid:
    os.execvp(command[0], command)
before, during, out, asked = termios.tcgetattr(master), None, b"", 0
sent = answers.startswith("SIG")
end = time.time() + 30
while time.time() < end:
    if select.select([master], [], [], 0.05)[0]:
        try:
            data = os.read(master, 65536)
        except OSError:
            break
        if not data:
            break
        out += data
    if out.count(b"(quit)? ") > asked and (termios.tcgetattr(master)[3] & termios.ICANON) == 0:
        during = termios.tcgetattr(master)
        asked += 1
        if sent:
            os.kill(pid, getattr(signal, answers))
        elif answers:
            n = 2 if answers[0] == "x" else 1  # x is no key: the next one answers
            os.write(master, answers[:n].encode().replace(b"<", b"\033[D"))
            answers = answers[n:]
        if sent:
            break
for _ in range(200):  # a signal: the terminal lives on
    done, status = os.waitpid(pid, os.WNOHANG)
    if done:
        break
    time.sleep(0.05)
else:
    os.kill(pid, signal.SIGKILL)
    status = None
ended = "hangs" if status is None else "signal %d" % os.WTERMSIG(status) if os.WIFSIGNALED(status) else "exit %d" % os.WEXITSTATUS(status)
try:
    after = termios.tcgetattr(master)
    mode = "as before" if after == before else "changed"
except termios.error:
    mode = "gone"
print(ended, "raw" if during and during != before else "lines", mode)
sys.stdout.write(out.decode("utf-8", "replace"))
END
on_terminal() { python3 terminal.py "$@" >out 2>err; }
first() { head -1 out; }
is() { if [ "$2" = "$3" ]; then ok "$1"; else bad "$1: \"$2\", expected \"$3\""; fi; }
choices() { cat pics/marks_test.jsonl 2>/dev/null | grep -c '"duel"'; }

TERM=xterm on_terminal "x1q" "$lab" duel
case $(first) in "exit 0 raw"*) ok "a key is enough" ;; *) bad "a key is enough: $(first)" ;; esac
is "one choice was made" "$(choices)" 1
check "it is told" grep -q "1 choice" out
check "no picture on a terminal that shows none" grep -q "both: .*duel_01.png" out
TERM=xterm on_terminal "<q" "$lab" duel
is "an arrow, too" "$(choices)" 2
for name in SIGINT SIGTERM SIGHUP; do
    TERM=xterm on_terminal $name "$lab" duel
    is "$name ends it, and the terminal is as before" "$(first)" "exit $((128 + $(kill -l ${name#SIG}))) raw as before"
done
is "without a choice" "$(choices)" 2
TERM=xterm-kitty on_terminal q "$lab" duel
check "kitty's pictures" grep -q "$(printf '\033_Ga=T,f=100')" out
TERM=xterm TERM_PROGRAM=iTerm.app on_terminal q "$lab" duel
check "iTerm2's pictures" grep -q "1337;File=inline=1:iVBOR" out
TERM=screen KITTY_WINDOW_ID=1 on_terminal q "$lab" duel
check "none within screen" grep -q "both: " out
printf '2\nq\n' | "$lab" duel >out 2>err
is "lines, where there is no terminal" "$(choices)" 3

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
