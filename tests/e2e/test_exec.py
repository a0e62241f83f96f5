"""`checkrelay exec` as the command and its caller see it: output, input, exit status, signals, timeouts."""

import os
import pathlib
import pty
import signal
import subprocess
import time

from .exec_case import STUBBORN, ExecCase, alive, gone
from .harness import BINARY, PATIENCE, wait_until


def text_of(path):
    path = pathlib.Path(path)
    return path.read_text() if path.exists() else None


class ExecExit(ExecCase):
    def test_the_exit_status_is_the_commands(self):
        for status in (0, 1, 3, 75, 124, 255):
            done = self.sh(f"exit {status}")
            self.assertEqual((done.returncode, done.stdout, done.stderr), (status, b"", b""))

    def test_a_signal_is_told_as_a_shell_tells_it(self):
        for name in ("KILL", "TERM", "SEGV"):
            self.assertEqual(self.sh(f"kill -{name} $$").returncode, 128 + signal.Signals[f"SIG{name}"])

    def test_what_is_not_there_exits_127(self):
        for word in ("no-such-command-anywhere", self.path("nothing")):
            done = self.exec("--", word)
            self.assertEqual(done.returncode, 127)
            self.assertIn(b"No such file", done.stderr)

    def test_what_cannot_run_exits_126(self):
        plain = self.directory / "plain"
        plain.write_text("exit 5\n")
        self.assertEqual(self.exec("--", plain).returncode, 126)
        self.assertEqual(self.exec("--", self.directory).returncode, 126)

    def test_a_script_without_a_first_line_is_the_shells(self):
        script = self.directory / "script"
        script.write_text('echo "$0 $1"; exit 5\n')
        script.chmod(0o755)
        done = self.exec("--", script, "word")
        self.assertEqual((done.returncode, done.stdout), (5, f"{script} word\n".encode()))
        path = f"{self.directory}:{os.environ['PATH']}"
        self.assertEqual(self.exec("--", "script", env=self.environment(PATH=path)).returncode, 5)

    def test_mistakes_of_ours_exit_2_and_run_nothing(self):
        for words in (("--map", "1=FINE"), ("--timeout", "soon"), ("--retry", "-1"), ("--no-such", "x"),
                      ("--lock", ""), ("--ttl", "x"), ("-H", ""), ("-H", "a\x01b")):
            done = self.exec(*words, "--", "touch", self.path("ran"))
            self.assertEqual(done.returncode, 2, (words, done.stderr))
        self.assertEqual(self.exec("--").returncode, 2)
        self.assertFalse(os.path.exists(self.path("ran")))

    def test_the_commands_words_are_its_own(self):
        for separator in ((), ("--",)):
            done = self.exec(*separator, "printf", "%s,", "-S", "--help", "--", "", "a b")
            self.assertEqual(done.stdout, b"-S,--help,--,,a b,")


class ExecStreams(ExecCase):
    def test_megabytes_of_any_bytes_come_through_unchanged(self):
        blob = os.urandom(5_000_000) + bytes(range(256)) * 4
        file = self.directory / "blob"
        file.write_bytes(blob)
        done = self.exec("--", "cat", file)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertTrue(done.stdout == blob)
        done = self.exec("--", "sh", "-c", 'cat "$0" >&2', file)
        self.assertTrue(done.stderr == blob and done.stdout == b"")

    def test_the_streams_stay_apart_and_the_input_is_the_commands(self):
        done = self.sh("cat; echo err >&2", input=b"in\0put\xff")
        self.assertEqual((done.stdout, done.stderr), (b"in\0put\xff", b"err\n"))

    def test_two_streams_that_are_one_keep_their_order(self):
        script = "for i in 1 2 3 4 5 6 7 8 9; do echo o$i; echo e$i >&2; done"
        expected = "".join(f"o{i}\ne{i}\n" for i in range(1, 10))
        done = self.sh(script, capture_output=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.assertEqual(done.stdout.decode(), expected)
        with open(self.path("log"), "wb") as log:
            self.sh(script, capture_output=False, stdout=log, stderr=log)
        with open(self.path("log")) as log:
            self.assertEqual(log.read(), expected)

    def test_what_is_printed_is_there_at_once(self):
        process = self.begin(
            "--", "sh", "-c", "printf x; read line; echo y", stdin=subprocess.PIPE)
        self.assertEqual(os.read(process.stdout.fileno(), 10), b"x")
        process.stdin.write(b"go\n")
        process.stdin.flush()
        self.assertEqual(os.read(process.stdout.fileno(), 10), b"y\n")
        self.assertEqual(process.wait(PATIENCE), 0)

    def test_a_reader_that_goes_ends_the_command_as_ever(self):
        process = self.begin("--", "yes")
        process.stdout.readline()
        process.stdout.close()
        self.assertEqual(process.wait(PATIENCE), 128 + signal.SIGPIPE)

    def test_closed_streams_stay_closed(self):
        script = "for fd in 0 1 2; do [ -e /proc/self/fd/$fd ] && n=$n$fd; done; echo x$n >" + self.path("seen")
        subprocess.run(["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *self.words("--", "sh", "-c", script)],
                       env=self.environment(), timeout=PATIENCE)
        with open(self.path("seen")) as seen:
            self.assertEqual(seen.read(), "x\n")

    def test_nothing_of_ours_is_left_open_for_the_command(self):
        done = self.exec("--lock", f"e2e-fds-{os.getpid()}", "--", "ls", "/proc/self/fd")
        self.assertEqual(done.stdout, b"0\n1\n2\n3\n")  # 3 is the directory

    def test_a_full_output_is_no_end_of_the_command(self):
        with open("/dev/full", "wb") as full:
            done = self.sh(f"echo lost; echo lost; touch {self.path('ran')}; exit 4", capture_output=False,
                           stdout=full, stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, 4)
        self.assertIn(b"No space left", done.stderr)
        self.assertTrue(os.path.exists(self.path("ran")))

    def test_it_waits_for_the_command_and_not_for_its_children(self):
        done = self.sh(f"sleep 1000 & echo $! >{self.path('pid')}; echo over")
        self.assertEqual((done.returncode, done.stdout), (0, b"over\n"))
        with open(self.path("pid")) as file:
            pid = int(file.read())
        self.assertTrue(alive(pid))
        os.kill(pid, signal.SIGKILL)

    def test_a_child_left_behind_may_go_on_writing(self):
        os.mkfifo(self.path("go"))
        script = f"(read x <{self.path('go')}; echo late; echo more; echo $? >{self.path('wrote')}) & echo over"
        log = self.path("log")
        with open(log, "wb") as out:
            self.assertEqual(self.sh(script, capture_output=False, stdout=out, stderr=out).returncode, 0)
        with open(self.path("go"), "w") as go:
            go.write("x\n")
        wait_until(lambda: text_of(log) == "over\nlate\nmore\n", "the file to have it all")
        os.remove(self.path("wrote"))
        done = self.sh(script)  # into a pipe, whose reader is not kept waiting
        self.assertEqual(done.stdout, b"over\n")
        with open(self.path("go"), "w") as go:
            go.write("x\n")
        wait_until(lambda: text_of(self.path("wrote")) == "0\n", "the child to be alive behind its words")

    def test_a_terminal_is_the_commands_own(self):
        leader, follower = pty.openpty()
        self.addCleanup(os.close, leader)
        process = self.begin("--", "sh", "-c", "test -t 1 && test -t 0 && echo tty; exit 6", stdin=follower,
                             stdout=follower, stderr=follower)
        os.close(follower)
        self.assertEqual(process.wait(PATIENCE), 6)
        self.assertEqual(os.read(leader, 100), b"tty\r\n")


class ExecTerminal(ExecCase):
    """With a controlling terminal, as a person runs it."""

    def at_a_terminal(self, script, keys):
        """What is seen after `keys` are typed once the script says `ready`, and the exit status."""
        pid, terminal = pty.fork()
        if pid == 0:
            os.execve(BINARY, self.words("--", "sh", "-c", script), self.environment())
        self.addCleanup(os.close, terminal)
        seen = b""
        while not seen.endswith(b"ready\r\n"):
            seen += os.read(terminal, 1)
        os.write(terminal, keys)
        seen = b""
        try:
            while piece := os.read(terminal, 1000):
                seen += piece
        except OSError:  # nobody has it open any more
            pass
        return seen, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def test_the_command_reads_what_is_typed(self):
        seen, code = self.at_a_terminal("echo ready; read x; echo got $x; exit 4", b"word\n")
        self.assertEqual((seen, code), (b"word\r\ngot word\r\n", 4))

    def test_control_c_is_told_once(self):
        seen, code = self.at_a_terminal(
            "trap 'n=x$n' INT; echo ready; read x; read x; echo $n; exit 3", b"\x03\nword\n")
        self.assertIn(b"x\r\n", seen)
        self.assertNotIn(b"xx", seen)
        self.assertEqual(code, 3)

    def test_what_dies_of_control_c_exits_130(self):
        self.assertEqual(self.at_a_terminal("echo ready; exec sleep 1000", b"\x03")[1], 130)


class ExecSignals(ExecCase):
    def test_signals_reach_the_command(self):
        for name in ("TERM", "INT", "HUP", "QUIT", "USR1", "USR2", "ALRM", "WINCH"):
            process = self.begin_sh(f"trap 'echo got {name}; exit 7' {name}; echo ready; "
                                    "while :; do sleep 0.02; done")
            process.send_signal(signal.Signals[f"SIG{name}"])
            self.assertEqual(process.stdout.readline(), f"got {name}\n".encode())
            self.assertEqual(process.wait(PATIENCE), 7)

    def test_a_command_that_dies_of_it_is_told_so(self):
        for name in ("TERM", "INT", "HUP", "QUIT", "USR1"):
            process = self.begin_sh("ulimit -c 0; echo ready; exec sleep 1000")
            process.send_signal(signal.Signals[f"SIG{name}"])
            self.assertEqual(process.wait(PATIENCE), 128 + signal.Signals[f"SIG{name}"])

    def test_what_ends_a_job_ends_its_children_too(self):
        process = self.begin_sh("sleep 1000 & echo $! >&2; echo ready; wait")
        child = int(process.stderr.readline())
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(PATIENCE), 143)
        gone(child)

    def test_what_is_ignored_stays_so(self):
        process = subprocess.Popen(
            ["sh", "-c", 'trap "" HUP; exec "$@"', "sh",
             *self.words("--", "sh", "-c", "echo ready; read x; exit 8")],
            env=self.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(self._put_away, process)
        process.stdout.readline()
        process.send_signal(signal.SIGHUP)
        process.stdin.write(b"\n")
        process.stdin.flush()
        self.assertEqual(process.wait(PATIENCE), 8)

    def test_the_command_finds_no_signal_blocked(self):
        done = self.exec("--", "grep", "-E", "Sig(Blk|Ign)", "/proc/self/status", restore_signals=False)
        with open("/proc/self/status") as own:
            expected = [line for line in own if line.startswith(("SigBlk", "SigIgn"))]
        seen = [int(line.split()[1], 16) for line in done.stdout.decode().splitlines()]
        internal = 3 << 31  # the C library's own two, which its posix_spawn() leaves ignored
        self.assertEqual([mask & ~internal for mask in seen], [int(line.split()[1], 16) for line in expected])


class ExecTimeout(ExecCase):
    def test_a_command_that_is_too_slow_exits_124(self):
        done = self.exec("--timeout", "100ms", "--", "sleep", "1000")
        self.assertEqual(done.returncode, 124)
        self.assertRegex(self.only_kept()["output"], r"^timeout, ended by signal 15 \(TERM\) after 0\.")

    def test_who_ignores_term_gets_kill(self):
        done = self.sh(STUBBORN, "--timeout", "1s", "--kill-after", "100ms")
        self.assertEqual(done.returncode, 124)
        self.assertIn("signal 9 (KILL)", self.only_kept()["output"])

    def test_who_exits_well_after_all_was_too_slow_nonetheless(self):
        done = self.sh("trap 'echo bye; exit 0' TERM; while :; do sleep 0.02; done", "--timeout", "1s")
        self.assertEqual((done.returncode, done.stdout), (124, b"bye\n"))
        self.assertEqual(self.only_kept()["state"], 2)

    def test_children_that_ignore_term_go_too(self):
        process = self.begin("--timeout", "1s", "--kill-after", "100ms", "--", "sh", "-c",
                             f"sh -c \"{STUBBORN}\" & echo $! >&2; wait")
        child = int(process.stderr.readline())
        self.assertEqual(process.wait(PATIENCE), 124)
        gone(child)

    def test_a_stopped_command_is_ended(self):
        done = self.sh("kill -STOP $$", "--timeout", "200ms")
        self.assertEqual(done.returncode, 124)
        self.assertIn("signal 15", self.only_kept()["output"])

    def test_a_reader_that_hangs_does_not_keep_a_timeout_waiting(self):
        process = self.begin("--timeout", "200ms", "--kill-after", "100ms", "--", "yes")
        self.assertEqual(process.wait(PATIENCE), 124)

    def test_in_time_is_not_late(self):
        begin = time.monotonic()
        self.assertEqual(self.exec("--timeout", "1h", "--", "true").returncode, 0)
        self.assertLess(time.monotonic() - begin, PATIENCE)
