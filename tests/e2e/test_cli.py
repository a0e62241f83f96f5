"""The commands as people and scripts meet them: exit statuses, faults with line numbers, help, and the way out when the
agent is down."""

import json
import os
import pathlib
import socket
import subprocess

from simulators.op5 import Op5

from .harness import BINARY, Case, result, run

COMMANDS = ("run", "check", "send", "queue", "status", "doctor", "version")
REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


class Check(Case):
    def check(self, text):
        file = self.directory / "c.toml"
        file.write_text(text)
        return run("check", "--config", file)

    def faults(self, text, *expected):
        done = self.check(text)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        told = done.stdout + done.stderr
        for line, *words in expected:
            row = next((r for r in told.splitlines() if f"c.toml:{line}:" in r), None)
            self.assertIsNotNone(row, f"line {line} in\n{told}")
            for word in words:
                self.assertIn(word, row)

    def test_every_fault_is_told_with_its_line_and_key(self):
        self.faults('[agent]\nhostnam = "x"\n[limits]\nmax_result = "big"\n[[destination]]\nname = "a"\ntype = "op5"\n'
                    'url = "ftp://x"\nretry_min = 5\n[[intake]]\ntype = "tpc"\nlisten = "127.0.0.1:1"\n',
                    (2, "hostnam", "hostname"), (4, "max_result", "big"), (8, "url", "ftp"), (9, "retry_min"),
                    (11, "tpc"))

    def test_toml_that_cannot_be_read_names_the_line(self):
        self.faults("[agent]\nhostname = \n", (2,))

    def test_missing_required_options_are_faults(self):
        self.faults('[[destination]]\nname = "a"\ntype = "op5"\n', (1, "url"))

    def test_a_route_to_nowhere_is_a_fault(self):
        self.faults('[[destination]]\nname = "a"\ntype = "discard"\n[[route]]\nhost = "*"\ndestinations = ["b"]\n',
                    (6, "b"))

    def test_two_destinations_of_one_name_are_a_fault(self):
        self.faults('[[destination]]\nname = "a"\ntype = "discard"\n[[destination]]\nname = "a"\ntype = "discard"\n',
                    (5, "a"))

    def test_unreadable_password_file_is_a_fault(self):
        self.faults('[[destination]]\nname = "a"\ntype = "op5"\nurl = "http://h"\nusername = "u"\npassword_file = "/no/such/file"\n',
                    (6, "password_file", "/no/such/file"))

    def test_missing_file_is_a_fault(self):
        done = run("check", "--config", self.path("nowhere.toml"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("nowhere.toml", done.stdout + done.stderr)

    def test_valid_configuration_exits_0_and_touches_nothing(self):
        agent = self.agent([{"type": "spool", "path": self.path("spool")}, {"type": "fifo", "path": self.path("fifo")}],
                           start=False)
        before = sorted(os.listdir(self.directory))
        done = run("check", "--config", agent.file)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(sorted(os.listdir(self.directory)), before)

    def test_defaults_are_a_valid_configuration(self):
        done = run("check", "--defaults")
        self.assertEqual(done.returncode, 0)
        self.assertIn("[agent]", done.stdout)
        self.assertEqual(self.check(done.stdout).returncode, 0)

    def test_run_with_faults_tells_them_and_exits_1(self):
        file = self.directory / "c.toml"
        file.write_text('[agent]\nhostnam = "x"\n')
        done = run("run", "--config", file)
        self.assertEqual(done.returncode, 1)
        self.assertIn("c.toml:2:", done.stdout + done.stderr)


class Help(Case):
    def test_help_of_each_command_fits_a_screen(self):
        for words in ((), *((c,) for c in COMMANDS)):
            done = run(*words, "--help")
            self.assertEqual(done.returncode, 0, words)
            lines = done.stdout.splitlines()
            self.assertTrue(4 <= len(lines) <= 40, (words, len(lines)))
            self.assertLessEqual(max(map(len, lines)), 100, words)

    def test_help_of_send_shows_defaults_and_exit_statuses(self):
        text = run("send", "--help").stdout
        for word in ("--no-spool", "--stdin", "exit", "/var/spool/checkrelay"):
            self.assertIn(word, text)

    def test_mistyped_words_get_did_you_mean(self):
        done = run("staus")
        self.assertEqual(done.returncode, 2)
        self.assertIn("status", done.stderr)
        self.assertIn("did you mean", done.stderr.lower())
        done = run("send", "--outptu", "x")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--output", done.stderr)

    def test_version_says_it(self):
        done = run("version")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"\d+\.\d+\.\d+")

    def test_no_words_or_missing_words_are_usage(self):
        self.assertEqual(run("send").returncode, 2)
        self.assertEqual(run("no-such-command").returncode, 2)


class AgentDown(Case):
    def environment(self, **more):
        return {**os.environ, "CHECKRELAY_SOCKET": self.path("agent.sock"), **more}

    def test_status_and_queue_exit_3(self):
        for words in (("status",), ("status", "--json"), ("queue", "list")):
            done = run(*words, "-C", self.path("agent.sock"))
            self.assertEqual(done.returncode, 3, words)
            self.assertIn("agent.sock", done.stderr)

    def test_send_falls_back_to_the_spool_and_nothing_is_lost(self):
        agent = self.agent([{"type": "spool", "path": self.path("spool")}])
        agent.stop()
        done = run("send", "--config", agent.file, "-H", "db1", "-S", "Backup", "-s", "WARNING", "-m", "two\nlines",
                   "-p", "a=1", "--id", "x-1")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len([n for n in os.listdir(self.path("spool")) if n != "rejected"]), 1)
        agent.start()
        row = self.wait_delivered(1)[0]
        self.assertEqual((row["id"], row["state"], row["output"], row["perfdata"]), ("x-1", 1, "two\nlines", "a=1"))

    def test_time_of_a_spooled_result_is_the_time_of_the_send(self):
        agent = self.agent([{"type": "spool", "path": self.path("spool")}])
        agent.stop()
        run("send", "--config", agent.file, "-S", "Backup", "-s", "OK", "-m", "x", "--time", "1700000000")
        agent.start()
        row = self.wait_delivered(1)[0]
        self.assertIn("1700000000", str(row["time"])) if not isinstance(row["time"],
                                                                        str) else self.assertIn("2023-11-14",
                                                                                                row["time"])

    def test_environment_names_the_spool(self):
        os.mkdir(self.path("elsewhere"))
        done = run("send", "-S", "Backup", "-s", "OK", "-m", "x",
                   env=self.environment(CHECKRELAY_SPOOL=self.path("elsewhere")))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(os.listdir(self.path("elsewhere"))), 1)

    def test_stdin_falls_back_whole(self):
        os.mkdir(self.path("spool"))
        text = "".join(f"db1\tBackup\t0\tn={n}\n" for n in range(100))
        done = run("send", "--stdin", input=text, env=self.environment(CHECKRELAY_SPOOL=self.path("spool")))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.agent([{"type": "spool", "path": self.path("spool")}])
        self.wait_delivered(100)
        self.assertEqual(self.outputs(), [f"n={n}" for n in range(100)])

    def test_no_spool_and_nowhere_to_keep_it_exit_3(self):
        words = ("send", "-S", "Backup", "-s", "OK", "-m", "x")
        done = run(*words, "--no-spool", env=self.environment(CHECKRELAY_SPOOL=self.path("spool")))
        self.assertEqual(done.returncode, 3)
        self.assertTrue(done.stderr)
        done = run(*words, env=self.environment(CHECKRELAY_SPOOL="/proc/no/such/place"))
        self.assertEqual(done.returncode, 3)
        self.assertIn("/proc/no/such/place", done.stderr)

    def test_a_wrong_result_is_refused_without_the_agent_too(self):
        os.mkdir(self.path("spool"))
        done = run("send", "-S", "Backup", "-s", "FINE", "-m", "x",
                   env=self.environment(CHECKRELAY_SPOOL=self.path("spool")))
        self.assertIn(done.returncode, (1, 2))
        self.assertIn("FINE", done.stderr)
        self.assertEqual(os.listdir(self.path("spool")), [])

    def test_a_broken_configuration_does_not_lose_the_result(self):
        (self.directory / "broken.toml").write_text("[agent\nnonsense")
        os.mkdir(self.path("spool"))
        done = run("send", "--config", self.path("broken.toml"), "-S", "Backup", "-s", "OK", "-m", "x",
                   env=self.environment(CHECKRELAY_SPOOL=self.path("spool")))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(os.listdir(self.path("spool"))), 1)

    def test_an_agent_that_hangs_is_given_up_for_the_spool(self):
        with socket.socket(socket.AF_UNIX) as hung:
            hung.bind(self.path("agent.sock"))
            hung.listen(0)
            os.mkdir(self.path("spool"))
            done = run("send", "-S", "Backup", "-s", "OK", "-m", "x",
                       env=self.environment(CHECKRELAY_SPOOL=self.path("spool")))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(os.listdir(self.path("spool"))), 1)


class Status(Case):
    def test_all_well_exits_0_and_trouble_exits_1(self):
        sim = Op5().start()
        self.addCleanup(sim.stop)
        agent = self.agent(destinations=[self.op5_destination(sim), self.file_destination()])
        self.accept(agent, result(1))
        agent.wait_idle()
        done = agent.cli("status")
        self.assertEqual(done.returncode, 0, done.stdout)
        for word in ("central", "out", "op5", "ok"):
            self.assertIn(word, done.stdout)
        self.assertEqual(json.loads(agent.cli("status", "--json").stdout)["destinations"][0]["delivered"], 1)
        sim.stop()
        self.accept(agent, result(2))
        agent.wait_destination("central", lambda d: d["state"] == "backoff")
        done = agent.cli("status")
        self.assertEqual(done.returncode, 1)
        self.assertIn("backoff", done.stdout)

    def test_config_finds_the_socket(self):
        agent = self.agent()
        self.assertEqual(run("status", "--config", agent.file).returncode, 0)
        self.assertEqual(run("status", env={**os.environ, "CHECKRELAY_CONFIG": str(agent.file)}).returncode, 0)
        self.assertEqual(run("status", env={**os.environ, "CHECKRELAY_SOCKET": agent.socket}).returncode, 0)


class Examples(Case):
    def test_the_backup_script_reports_success_and_failure(self):
        agent = self.agent()
        for folder in ("source", "target"):
            os.makedirs(self.path(folder))
        (self.directory / "source" / "file").write_text("x")
        path = f"{pathlib.Path(BINARY).parent}:{os.environ['PATH']}"
        environment = {**os.environ, "CHECKRELAY_SOCKET": agent.socket, "PATH": path}
        for count, (source, state) in enumerate((("source", 0), ("nowhere", 2)), 1):
            done = subprocess.run(["sh", REPOSITORY / "contrib/examples/backup.sh", self.path(source),
                                   self.path("target")],
                                  env=environment, capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode == 0, state == 0, done.stdout + done.stderr)
            row = self.wait_delivered(count)[-1]
            self.assertEqual((row["service"], row["state"]), ("Backup", state))

    def test_the_documented_backup_script_works_with_send_in_place_of_its_updater(self):
        agent = self.agent()
        os.makedirs(self.path("source"))
        script = f"""#!/usr/bin/env bash
DATE=$(date +'%F')
mkdir -p {self.path('backups')}/archive-$DATE
cp -r "$1" {self.path('backups')}/archive-$DATE
if [ "$?" == "0" ]; then
        {BINARY} send -C {agent.socket} -H "$(hostname -f)" -S "Example service" -m "Backup for $DATE was successful" -s "OK"
        if [ "$?" == "0" ]; then exit 0; else exit 2; fi
else
        {BINARY} send -C {agent.socket} -H "$(hostname -f)" -S "Example service" -m "Backup for $DATE failed" -s "CRITICAL"
        if [ "$?" == "0" ]; then exit 0; else exit 2; fi
fi
"""
        (self.directory / "backup.sh").write_text(script)
        for source, state, word in (("source", 0, "was successful"), ("nowhere", 2, "failed")):
            done = subprocess.run(["bash", self.path("backup.sh"), self.path(source)], capture_output=True, text=True,
                                  timeout=60)
            self.assertEqual(done.returncode, 0, done.stderr)
            row = self.wait_delivered(1 if state == 0 else 2)[-1]
            self.assertEqual((row["service"], row["state"], word in row["output"]), ("Example service", state, True))
