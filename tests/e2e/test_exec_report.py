"""What `checkrelay exec` reports, to whom, and that reporting neither delays nor fails the command."""

import os
import pathlib
import resource
import signal
import socket
import subprocess
import time

from .exec_case import ExecCase
from .harness import PATIENCE, SANITIZED, run, wait_until


class ExecOutput(ExecCase):
    def test_the_result_says_how_it_ended_and_shows_the_end_of_the_output(self):
        self.sh("echo one; echo two >&2; exit 3")
        record = self.only_kept()
        self.assertRegex(record["output"], r"^exit 3 after \d+\.\d+ s\none\ntwo$|^exit 3 after \d+\.\d+ s\ntwo\none$")
        self.assertEqual((record["state"], record["service"]), (2, "Job"))
        self.assertNotIn("host", record)
        self.assertRegex(record["perfdata"], r"^time=\d+\.\d{3}s cpu=\d+\.\d{3}s rss=\d+B$")

    def test_long_output_is_cut_and_made_harmless(self):
        self.sh(r"""i=0; while [ $i -lt 3000 ]; do echo "line $i"; i=$((i+1)); done
                    printf 'a|b=1 \033[31mred\033[0m \377\000 10%%\r20%%\n'; exit 1""")
        output = self.only_kept()["output"]
        self.assertLess(len(output.encode()), 4200)
        self.assertRegex(output, r"^exit 1 after .* s\n\.\.\.\nline \d+\n")
        self.assertTrue(output.endswith("line 2999\n20%"), output[-60:])
        self.assertNotIn("|", output)

    def test_processor_time_and_memory_are_the_commands(self):
        self.exec("--", "python3", "-c", "import time; x = b'x' * 60_000_000\nwhile time.process_time() < 0.3: pass")
        values = dict(part.split("=") for part in self.only_kept()["perfdata"].split())
        self.assertGreaterEqual(float(values["cpu"][:-1]), 0.3)
        self.assertGreater(int(values["rss"][:-1]), 60_000_000)
        self.assertGreaterEqual(float(values["time"][:-1]), 0.29)

    def test_the_map_names_states(self):
        for options, script, state in ((("--map", "1=WARNING,2-9=UNKNOWN"), "exit 1", 1),
                                       (("--map=1=WARNING,2-9=UNKNOWN",), "exit 5", 3),
                                       (("--map", "signal=WARNING"), "kill -9 $$", 1),
                                       (("--map", "*=UNKNOWN"), "exit 99", 3), ((), "exit 99", 2), ((), "exit 0", 0)):
            self.sh(script, *options)
            self.assertEqual(self.kept()[-1]["state"], state, (options, script))

    def test_a_long_run_is_worse_than_its_exit_status(self):
        self.sh("sleep 0.05", "--warn-after", "20ms", "--crit-after", "1h")
        record = self.only_kept()
        self.assertEqual(record["state"], 1)
        self.assertIn("longer than 20ms", record["output"])
        self.assertRegex(record["perfdata"], r"^time=\d\.\d+s;0\.02;3600 ")
        self.sh("sleep 0.05", "--warn-after", "10ms", "--crit-after", "20ms")
        self.assertEqual(self.kept()[-1]["state"], 2)

    def test_what_was_not_started_is_reported_too(self):
        self.exec("--", self.path("nothing"))
        record = self.only_kept()
        self.assertIn("exit 127, not started: ", record["output"])
        self.assertEqual((record["state"], record["perfdata"]), (2, ""))


class ExecRetry(ExecCase):
    COUNT = "echo x >>{0}; [ $(wc -l <{0}) -ge {1} ] || exit 9; echo well"

    def tries(self):
        return len(pathlib.Path(self.path("tries")).read_text().splitlines())

    def script(self, needed):
        return self.COUNT.format(self.path("tries"), needed)

    def test_a_failing_command_runs_again_until_it_is_well(self):
        done = self.sh(self.script(3), "--retry", "5", "--retry-wait", "0s")
        self.assertEqual((done.returncode, done.stdout, self.tries()), (0, b"well\n", 3))
        self.assertRegex(self.only_kept()["output"], r"^exit 0 after .* s, 3 tries\nwell$")

    def test_tries_come_to_an_end(self):
        done = self.sh(self.script(9), "--retry", "2", "--retry-wait", "1ms")
        self.assertEqual((done.returncode, self.tries()), (9, 3))
        self.assertIn("exit 9", self.only_kept()["output"])
        self.assertIn("3 tries", self.only_kept()["output"])

    def test_what_the_map_calls_ok_has_not_failed(self):
        self.assertEqual(self.sh(self.script(2), "--retry", "5", "--map", "9=OK").returncode, 9)
        self.assertEqual(self.tries(), 1)

    def test_a_job_that_was_told_to_end_is_not_tried_again(self):
        process = self.begin_sh(f"echo x >>{self.path('tries')}; echo ready; exec sleep 1000", "--retry", "5")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(PATIENCE), 143)
        self.assertEqual(self.tries(), 1)

    def test_who_waits_between_tries_hears_the_end(self):
        process = self.begin_sh(f"echo $$ >{self.path('pid')}; echo ready; exit 4", "--retry", "5", "--retry-wait", "1h")
        job = pathlib.Path("/proc", pathlib.Path(self.path("pid")).read_text().strip())
        wait_until(lambda: not job.exists(), "the job has ended")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(PATIENCE), 4)

    def test_input_from_a_file_is_there_for_each_try(self):
        with open(self.path("in"), "w+") as file:
            file.write("word\n")
            file.seek(0)
            done = self.sh("cat; exit 1", "--retry", "1", "--retry-wait", "0s", stdin=file)
        self.assertEqual(done.stdout, b"word\nword\n")


class ExecLock(ExecCase):
    def setUp(self):
        super().setUp()
        self.lock = f"e2e/{os.getpid()} {self.id()[-30:]}"

    def test_a_second_run_does_not_start(self):
        first = self.begin_sh("echo ready; read x", "--lock", self.lock, stdin=subprocess.PIPE)
        done = self.exec("--lock", self.lock, "--", "touch", self.path("ran"))
        self.assertEqual(done.returncode, 75)
        self.assertFalse(os.path.exists(self.path("ran")))
        self.assertIn(f"process {first.pid} holds the lock".encode(), done.stderr)
        record = [r for r in self.kept() if "start" not in r][-1]
        self.assertEqual(record["state"], 2)
        self.assertIn(f"exit 75, not started: process {first.pid} holds the lock", record["output"])
        self.assertEqual(self.exec("--lock", self.lock + "x", "--", "true").returncode, 0)
        first.communicate(b"\n")
        self.assertEqual(self.exec("--lock", self.lock, "--", "true").returncode, 0)

    def test_the_map_knows_it(self):
        first = self.begin_sh("echo ready; read x", "--lock", self.lock, stdin=subprocess.PIPE)
        self.exec("--lock", self.lock, "--map", "locked=OK", "--", "true")
        self.assertEqual([r for r in self.kept() if "start" not in r][-1]["state"], 0)
        first.communicate(b"\n")

    def test_a_killed_run_leaves_no_lock(self):
        first = self.begin_sh("echo ready; exec sleep 1000", "--lock", self.lock)
        children = pathlib.Path(f"/proc/{first.pid}/task/{first.pid}/children").read_text().split()
        first.kill()
        first.wait()
        self.assertEqual(self.exec("--lock", self.lock, "--", "true").returncode, 0)
        for child in children:
            os.kill(int(child), signal.SIGKILL)

    def test_what_runs_in_the_background_does_not_hold_it(self):
        done = self.sh("sleep 1000 & echo $!", "--lock", self.lock)
        self.assertEqual(self.exec("--lock", self.lock, "--", "true").returncode, 0)
        os.kill(int(done.stdout), signal.SIGKILL)

    @staticmethod
    def as_nobody():
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)

    def test_any_user_can_lock_without_a_configuration(self):
        if os.geteuid() != 0 or SANITIZED:
            self.skipTest("only root can become somebody else")
        for _ in range(2):
            done = self.exec("--lock", self.lock, "--", "id", "-u", preexec_fn=self.as_nobody)
            self.assertEqual((done.returncode, done.stdout), (0, b"65534\n"), done.stderr)


class ExecTrouble(ExecCase):
    """The job runs and its status comes through, whatever becomes of the report."""

    def assert_runs(self, *needles, environment=None, within=None, **options):
        begin = time.monotonic()
        done = self.sh("echo out; exit 5", env=environment or self.environment(), **options)
        took = time.monotonic() - begin
        self.assertEqual((done.returncode, done.stdout), (5, b"out\n"), done.stderr)
        for needle in needles:
            self.assertIn(needle, done.stderr)
        self.assertLessEqual(done.stderr.count(b"\n"), 1)
        if not needles:
            self.assertEqual(done.stderr, b"")
        if within and not SANITIZED:
            self.assertLess(took, within)

    def test_nothing_configured_at_all(self):
        environment = {"PATH": os.environ["PATH"], "CHECKRELAY_CONFIG": self.path("none"),
                       "CHECKRELAY_SOCKET": self.path("none.sock"), "CHECKRELAY_SPOOL": self.path("none.d")}
        self.assert_runs(b"not reported: ", b"none.sock", b"none.d", environment=environment)

    def test_a_broken_configuration(self):
        pathlib.Path(self.path("broken.toml")).write_text('[agent\nsocket = 5\n\0')
        self.assert_runs(environment=self.environment(CHECKRELAY_CONFIG=self.path("broken.toml")))

    def test_an_agent_that_is_down_costs_nothing_and_the_spool_keeps_it(self):
        self.assert_runs()
        self.assertIn("exit 5", self.only_kept()["output"])

    def test_a_spool_directory_that_cannot_be_written(self):
        plain = self.directory / "plain"
        plain.write_text("")
        self.assert_runs(b"not reported: ", b"plain", environment=self.environment(CHECKRELAY_SPOOL=str(plain)))

    def test_a_full_disk(self):
        if os.geteuid() != 0:
            self.skipTest("only root can mount")
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", self.spool], capture_output=True)
        if mounted.returncode != 0:
            self.skipTest("no mounts here")
        self.addCleanup(subprocess.run, ["umount", "-l", self.spool])
        with open(self.spool / "filler.tmp", "wb", buffering=0) as filler:
            with self.assertRaises(OSError):
                while filler.write(b"x" * 4096):
                    pass
        self.assert_runs(b"not reported: ", b"No space left")
        self.assertEqual(os.listdir(self.spool), ["filler.tmp"])

    def test_a_limit_on_files_sizes(self):
        if SANITIZED:
            self.skipTest("the sanitizers write files of their own")
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        done = self.exec("--", "sh", "-c", "exit 5", preexec_fn=limit)
        self.assertEqual(done.returncode, 5, done.stderr)

    def test_no_descriptor_to_spare(self):
        if SANITIZED:
            self.skipTest("the sanitizers need some")
        for limit in (4, 5, 6):
            done = self.exec("--", "sh", "-c", "echo out; exit 5", preexec_fn=lambda: resource.setrlimit(
                resource.RLIMIT_NOFILE, (limit, limit)))
            self.assertEqual((done.returncode, done.stdout), (5, b"out\n"), (limit, done.stderr))

    def test_an_agent_that_hangs_delays_the_end_by_5_seconds_at_most(self):
        self.ear(mute=True)
        self.assert_runs(within=5)
        self.assertIn("exit 5", self.only_kept()["output"])

    def test_an_agent_that_takes_no_connection(self):
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(self.path("agent.sock"))
        listener.listen(0)
        waiting = []
        for _ in range(2):  # more than the backlog
            peer = socket.socket(socket.AF_UNIX)
            self.addCleanup(peer.close)
            peer.setblocking(False)
            try:
                peer.connect(self.path("agent.sock"))
            except BlockingIOError:
                break
            waiting.append(peer)
        self.assert_runs(within=5)
        self.assertEqual([r["state"] for r in self.kept() if "start" not in r], [2])

    def test_an_agent_that_hangs_does_not_delay_the_start(self):
        self.ear(mute=True)
        begin = time.monotonic()
        process = self.begin_sh("echo ready; exec sleep 1000")
        if not SANITIZED:
            self.assertLess(time.monotonic() - begin, 3)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(PATIENCE), 143)


class ExecRuns(ExecCase):
    def test_start_and_end_have_one_id(self):
        ear = self.ear()
        self.sh("exit 3", "-H", "db1", "--ttl", "26h")
        start, end = ear.lines
        self.assertEqual(start, {"start": True, "host": "db1", "service": "Job", "id": end["id"], "time": start["time"]})
        self.assertEqual((end["host"], end["service"], end["state"], end["ttl"]), ("db1", "Job", 2, 26 * 3600))
        self.assertLessEqual(start["time"], end["time"])
        self.assertEqual(self.kept(), [])

    def test_the_start_is_told_before_the_end_is_known(self):
        ear = self.ear()
        process = self.begin_sh("echo ready; read x", stdin=subprocess.PIPE)
        wait_until(lambda: len(ear.lines) == 1, "the start")
        self.assertTrue(ear.lines[0]["start"])
        process.communicate(b"\n")
        wait_until(lambda: len(ear.lines) == 2, "the end")

    def test_several_tries_are_one_run(self):
        ear = self.ear()
        self.sh("exit 3", "--retry", "2", "--retry-wait", "0s")
        self.assertEqual([line.get("start", False) for line in ear.lines], [True, False])

    def test_without_an_agent_a_file_tells_the_start_until_the_end_is_known(self):
        process = self.begin_sh("echo ready; read x", stdin=subprocess.PIPE)
        start = wait_until(self.kept, "the start")[0]
        self.assertTrue(start["start"])
        process.communicate(b"\n")
        self.assertEqual(self.only_kept()["id"], start["id"])
        self.assertNotIn("start", self.only_kept())

    def test_an_agent_that_was_started_meanwhile_gets_the_end(self):
        process = self.begin_sh("echo ready; read x", stdin=subprocess.PIPE)
        wait_until(self.kept, "the start")
        ear = self.ear()
        process.communicate(b"\n")
        self.assertEqual(process.returncode, 0)
        self.assertEqual((len(ear.lines), self.kept()), (1, []))

    def test_the_agent_keeps_the_end_alone(self):
        agent = self.agent([{"type": "spool", "path": str(self.spool)}])
        done = self.exec("--ttl", "1h", "--", "sh", "-c", "echo well")
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        row, = self.wait_delivered(1)
        self.assertEqual((row["host"], row["service"], row["state"], row["ttl"]), ("edge1", "Job", 0, 3600))
        self.assertRegex(row["output"], "^exit 0 after .* s\nwell$")
        self.assertIn("well", agent.cli("queue", "show", row["id"]).stdout)
        agent.wait_idle()
        self.assertEqual(len(self.delivered()), 1)

    def test_what_an_agent_missed_it_finds_in_the_spool(self):
        agent = self.agent([{"type": "spool", "path": str(self.spool)}], start=False)
        self.sh("echo early; exit 1", env=self.environment(CHECKRELAY_CONFIG=str(agent.file)))
        self.sh("exit 2")
        agent.start()
        rows = self.wait_delivered(2)
        self.assertEqual(sorted(row["state"] for row in rows), [2, 2])

    def test_a_run_outlives_the_agent_that_heard_its_start(self):
        agent = self.agent([{"type": "spool", "path": str(self.spool)}])
        process = self.begin_sh("echo ready; read x", stdin=subprocess.PIPE)
        agent.restart()
        process.communicate(b"\n")
        self.assertEqual(self.wait_delivered(1)[0]["output"].split()[:2], ["exit", "0"])

    def test_what_the_agent_refuses_is_said_in_one_line(self):
        self.agent(limits={"max_result": "16B"})
        done = self.sh("exit 6")
        self.assertEqual(done.returncode, 6)
        self.assertRegex(done.stderr, rb"^checkrelay exec: refused: longer than 16: .*\n$")


class SendRuns(ExecCase):
    def send(self, *words):
        return run("send", *words, env=self.environment())

    def test_start_prints_the_id_that_ends_the_run(self):
        ear = self.ear()
        begun = self.send("--start", "-S", "Job", "-H", "db1")
        self.assertEqual((begun.returncode, begun.stderr), (0, ""))
        run_id = begun.stdout.strip()
        ended = self.send("-S", "Job", "-H", "db1", "-s", "OK", "-m", "done", "--id", run_id, "--ttl", "1d")
        self.assertEqual(ended.returncode, 0)
        start, end = ear.lines
        self.assertEqual((start["start"], start["id"], end["id"]), (True, run_id, run_id))
        self.assertNotIn("state", start)
        self.assertEqual(end["ttl"], 86400)

    def test_an_id_may_be_chosen(self):
        ear = self.ear()
        self.assertEqual(self.send("--start", "-S", "Job", "--id", "nightly-1").stdout, "nightly-1\n")
        self.assertEqual(ear.lines[0]["id"], "nightly-1")

    def test_a_start_reports_nothing(self):
        for words in (("-s", "OK"), ("-m", "x"), ("-p", "x=1"), ("--ttl", "1h")):
            done = self.send("--start", "-S", "Job", *words)
            self.assertEqual(done.returncode, 2)
            self.assertIn("--start", done.stderr)
        self.assertEqual(self.send("--start").returncode, 2)
        self.assertEqual(self.send("--start", "--stdin").returncode, 2)

    def test_the_agent_takes_a_start_and_a_promise(self):
        agent = self.agent([{"type": "spool", "path": str(self.spool)}])
        run_id = self.send("--start", "-S", "Job").stdout.strip()
        self.send("-S", "Job", "-s", "1", "-m", "so so", "--id", run_id, "--ttl", "90m")
        row, = self.wait_delivered(1)
        self.assertEqual((row["id"], row["ttl"], row["output"]), (run_id, 5400, "so so"))
        self.assertEqual(len(self.send_json(agent, {"start": True, "service": "Job", "id": "r2"},
                                            {"start": True, "service": "Job"})), 2)
        self.assertEqual(len(self.delivered()), 1)

    def test_without_an_agent_the_spool_keeps_the_start(self):
        done = self.send("--start", "-S", "Job", "--id", "r1")
        self.assertEqual((done.returncode, done.stdout), (0, "r1\n"))
        self.assertTrue(self.only_kept()["start"])
