"""Local checks: plugins that the agent runs by itself, those of Debian and those that nobody would want."""

import fcntl
import os
import pathlib
import pwd
import re
import signal
import unittest

from .harness import SANITIZED, Case, run, wait_until

PLUGINS = pathlib.Path("/usr/lib/nagios/plugins")


class ChecksCase(Case):
    def plugin(self, name, text, mode=0o755):
        file = self.directory / name
        file.write_text(text)
        file.chmod(mode)
        return str(file)

    def script(self, name, text):
        return self.plugin(name, f"#!/bin/sh\n{text}\n")

    def check(self, service, *command, **options):
        """One that runs at once, and then once an hour, unless said otherwise."""
        return {"service": service, "command": [str(c) for c in command],
                **({} if "schedule" in options else {"every": "1h", "spread": "0s"}), **options}

    def results(self, *checks, **options):
        """What an agent with these checks has delivered once each has said something, by service."""
        self.started = self.agent(check=list(checks), **options)
        rows = []

        def all_there():
            rows[:] = self.delivered()
            return {c["service"] for c in checks} <= {r.get("service", "") for r in rows}

        wait_until(all_there, "a result of each check")
        return {row.get("service", ""): row for row in rows}

    def checks(self, agent):
        return agent.status()["checks"]

    def children(self, agent):
        task = pathlib.Path(f"/proc/{agent.process.pid}/task/{agent.process.pid}/children")
        return task.read_text().split()

    def pid(self, file):
        """That a plugin has written there."""
        wait_until(lambda: os.path.exists(file) and pathlib.Path(file).read_text().endswith("\n"), "the plugin to run")
        return int(pathlib.Path(file).read_text())

    def is_gone(self, file):
        """Whether the process is whose id is there; who inherited it may not have looked yet."""
        try:
            return ") Z " in pathlib.Path(f"/proc/{self.pid(file)}/stat").read_text()
        except OSError:
            return True


class LocalChecks(ChecksCase):
    def test_what_a_plugin_says_is_delivered_like_any_other_result(self):
        got = self.results(self.check("Disk", self.script("disk", 'echo "DISK WARNING|/=9GB;8;9"; exit 1')))["Disk"]
        self.assertEqual((got["host"], got["state"], got["output"], got["perfdata"], got["check_source"]),
                         ("edge1", 1, "DISK WARNING", "/=9GB;8;9", "checkrelay check"))
        self.assertIn("local checks: 1, 0 running, 0 waiting, 1 runs, 0 skipped", self.started.cli("status").stdout)
        metrics = self.started.http("GET", "/metrics").body.decode()
        self.assertRegex(metrics, r"(?m)^checkrelay_check_runs_total 1$")

    def test_every_sort_of_bad_plugin_is_unknown_with_the_reason(self):
        got = self.results(
            self.check("missing", self.path("nothing")),
            self.check("mistyped", "check_dsik"),
            self.check("text", self.plugin("text", "#!/bin/sh\n", 0o644)),
            self.check("no interpreter", self.plugin("lost", "#!/no/such/shell\n")),
            self.check("crashing", self.script("crash", "echo begun; kill -SEGV $$")),
            self.check("odd", self.script("odd", "echo hm; exit 42")),
            self.check("silent", self.script("silent", "echo oops >&2; exit 0")),
            self.check("hanging", self.script("hang", "echo begun; sleep 1000"), timeout="3s"),
            self.check("stubborn", self.script("stubborn", "trap '' TERM; while :; do sleep 1000; done"),
                       timeout="3s"),
            self.check("flooding", self.script("flood", "exec yes")),
            self.check("leaving", self.script("leave", f"sleep 1000 & echo $! > {self.path('left')}; echo left; exit 2")),
            self.check("binary", self.script("binary", r"printf 'a\377b|c=1'")))
        expected = {
            "missing": f'cannot run "{self.path("nothing")}": No such file or directory',
            "mistyped": 'cannot run "check_dsik": not found in PATH ("/usr/local/sbin:/usr/local/bin:/usr/sbin:'
                        '/usr/bin:/sbin:/bin")',
            "text": f'cannot run "{self.path("text")}": Permission denied',
            "no interpreter": f'cannot run "{self.path("lost")}": the interpreter that its first line names is missing',
            "crashing": "the plugin was ended by SIGSEGV (Segmentation fault); it had printed: begun",
            "odd": "exit status 42 is none of a plugin's, which are 0 to 3; it had printed: hm",
            "silent": "the plugin printed nothing to standard output; it ended with exit status 0; "
                      "on standard error: oops",
            "hanging": "the plugin was not done within 3s; it was ended by SIGTERM (Terminated); "
                       "it had printed: begun",
            "stubborn": "the plugin was not done within 3s; it was ended by SIGKILL (Killed)"}
        for service, output in expected.items():
            self.assertEqual((got[service]["state"], got[service]["output"]), (3, output))
        self.assertTrue(got["flooding"]["output"].startswith("the plugin printed more than 1MiB and was ended; "))
        self.assertLessEqual(len(got["flooding"]["output"]), 64 * 1024)
        self.assertEqual((got["leaving"]["state"], got["leaving"]["output"]), (2, "left"))
        self.assertEqual((got["binary"]["state"], got["binary"]["output"], got["binary"]["perfdata"]),
                         (0, "a\ufffdb", "c=1"))
        wait_until(lambda: self.is_gone(self.path("left")), "what a plugin left behind to end")
        self.assertEqual(self.children(self.started), [], "each is reaped")

    def test_a_plugin_whose_start_the_kernel_holds_holds_no_other(self):
        if SANITIZED:
            self.skipTest("the leak checker waits for every thread, also for one that the kernel holds")
        held = self.script("held", f"echo $$ > {self.path('pid')}; echo late")
        file = os.open(held, os.O_RDONLY)
        self.addCleanup(os.close, file)
        self.addCleanup(signal.signal, signal.SIGIO, signal.signal(signal.SIGIO, signal.SIG_IGN))
        try:  # as a file server does that is away: whoever executes it waits
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        except OSError as error:
            self.skipTest(f"no leases here: {error}")
        others = [self.check(f"fine{n}", self.script(f"fine{n}", f"echo fine {n}"), timeout="30s") for n in range(9)]
        got = self.results(self.check("held", held, timeout="3s"), *others)
        self.assertEqual((got["held"]["state"], [got[f"fine{n}"]["output"] for n in range(9)]),
                         (3, [f"fine {n}" for n in range(9)]))
        self.assertIn("the system has not begun it yet", got["held"]["output"])
        self.assertEqual(self.started.stop(), 0)
        log = self.started.stderr()
        self.assertEqual(log.count("the system holds the start of a program; others go on meanwhile"), 1, log)
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        self.assertFalse(os.path.exists(self.path("pid")), "it ended with the agent")

    def test_a_host_check_is_up_or_down(self):
        up = {"host": "r1", "command": [self.script("up", "echo PING OK")], "every": "1h", "spread": "0s"}
        down = {"host": "r2", "command": [self.script("down", "echo PING WARNING; exit 1")], "every": "1h",
                "spread": "0s"}
        self.agent(check=[up, down])
        rows = {r["host"]: r for r in self.wait_delivered(2)}
        self.assertEqual((rows["r1"]["state"], rows["r2"]["state"]), (0, 1))
        self.assertFalse(rows["r1"].get("service"))

    def test_the_environment_is_cleared_and_no_shell_sees_the_command(self):
        os.environ["CHECKRELAY_TEST_SECRET"] = "x"
        self.addCleanup(os.environ.pop, "CHECKRELAY_TEST_SECRET")
        got = self.results(self.check("env", "/usr/bin/env", environment=["WHO=a b"]),
                           self.check("words", "/usr/bin/printf", "%s,%s", "$HOME", "*; ls"))
        self.assertEqual(got["words"]["output"], "$HOME,*; ls")
        names = sorted(line.split("=")[0] for line in got["env"]["output"].split("\n"))
        self.assertEqual(names, ["HOME", "LANG", "LOGNAME", "PATH", "SHELL", "USER", "WHO"])

    def test_a_check_runs_again_and_again_and_never_twice_at_once(self):
        mark = self.path("running")
        slow = self.script("slow", f"mkdir {mark} || exit 2; sleep 0.5; rmdir {mark}; echo once")
        agent = self.agent(check=[self.check("slow", slow, every="200ms", timeout="30s"),
                                  self.check("quick", "/bin/echo", "x", every="200ms", timeout="30s")])
        wait_until(lambda: sum(r["service"] == "slow" for r in self.delivered()) >= 4, "four runs")
        self.assertEqual({r["state"] for r in self.delivered()}, {0})
        self.assertGreater(self.checks(agent)["skipped"], 3)
        self.assertIn("no run, since the one before is not over", agent.stderr())
        self.assertIn("timeout is longer than every", agent.stderr())

    def test_no_more_than_max_concurrent_checks_run_at_once(self):
        file = self.path("trace")
        script = self.script("count", f"echo b >> {file}; sleep 0.05; echo e >> {file}; echo ok")
        self.results(*[self.check(str(n), script) for n in range(12)], limits={"max_concurrent_checks": 2})
        level = most = 0
        for line in pathlib.Path(file).read_text().split():
            level += 1 if line == "b" else -1
            most = max(most, level)
        self.assertEqual(most, 2)

    def test_a_reload_keeps_what_stands(self):
        agent = self.agent(check=[self.check("a", "/bin/echo", "a"), self.check("gone", "/bin/echo", "gone")])
        self.wait_delivered(2)
        config = self.config(check=[self.check("new", "/bin/echo", "new"), self.check("a", "/bin/echo", "a")])
        agent.write(config)
        agent.reload()
        self.assertEqual(self.wait_delivered(3)[-1]["output"], "new")
        self.assertEqual((self.checks(agent)["configured"], self.checks(agent)["runs"]), (2, 3))

    def test_a_stop_ends_what_runs_and_reports_nothing_of_it(self):
        pid = self.path("pid")
        agent = self.agent(check=[self.check("hang", self.script("hang", f"echo $$ > {pid}; sleep 1000"),
                                             timeout="1h")])
        self.pid(pid)
        self.assertEqual(agent.stop(), 0)
        self.assertTrue(self.is_gone(pid))
        self.assertEqual(self.delivered(), [])

    def test_what_runs_when_the_agent_is_killed_goes_too(self):
        pid = self.path("pid")
        agent = self.agent(check=[self.check("hang", self.script("hang", f"echo $$ > {pid}; exec sleep 1000"),
                                             timeout="1h")])
        self.pid(pid)
        agent.kill()
        wait_until(lambda: self.is_gone(pid), "the plugin to end")

    def test_a_schedule_runs_when_the_calendar_says(self):
        got = self.results(self.check("clock", "/bin/echo", "tick", schedule="*-*-* *:*:*", timezone="UTC"))
        self.assertEqual(got["clock"]["output"], "tick")
        wait_until(lambda: len(self.delivered()) >= 3, "three ticks")

    def test_faults_are_named_with_their_line(self):
        bad = [({"command": []}, "check.Disk.command: names no program"),
               ({"command": "check_disk"}, "check.Disk.command: expected an array"),
               ({"every": "0s"}, "check.Disk.every: must not be zero"),
               ({"schedule": "31 2 * *"}, "check.Disk.schedule: given together with every"),
               ({"comand": ["x"]}, 'check.Disk.comand: unknown key; did you mean "command"?'),
               ({"user": "no-such-user"}, 'check.Disk.user: no user is called "no-such-user"')]
        for fields, words in bad:
            agent = self.agent(start=False, check=[{"service": "Disk", "command": ["/bin/x"], "every": "60s", **fields}])
            checked = run("check", "--config", agent.file)
            self.assertEqual(checked.returncode, 1, fields)
            self.assertRegex(checked.stderr, rf":\d+: {re.escape(words)}")

    @unittest.skipUnless(os.geteuid() == 0, "only root becomes another user")
    def test_root_runs_a_plugin_as_its_own_user(self):
        nobody = pwd.getpwnam("nobody")
        got = self.results(self.check("who", "/bin/sh", "-c", "id -u; id -G; echo $HOME $USER", user="nobody"))
        self.assertEqual(got["who"]["output"], f"{nobody.pw_uid}\n{nobody.pw_gid}\n{nobody.pw_dir} nobody")

    @unittest.skipUnless(os.geteuid() == 0, "only root becomes another user")
    def test_an_agent_that_is_not_root_refuses_to_start_with_a_check_of_another_user(self):
        nobody = pwd.getpwnam("nobody")
        agent = self.agent(start=False, check=[self.check("Disk", "/bin/echo", user="root")])
        os.makedirs(self.path("state"))
        for place in (self.directory, self.path("state")):
            os.chown(place, nobody.pw_uid, nobody.pw_gid)
        agent.start(ready=False, user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[])
        self.assertEqual(agent.process.wait(60), 1)
        self.assertIn("only an agent that is root can run it as", agent.stderr())


@unittest.skipUnless((PLUGINS / "check_dummy").exists(), "monitoring-plugins-basic is not installed")
class DebianPlugins(ChecksCase):
    def test_the_plugins_of_debian_speak_and_are_understood(self):
        got = self.results(
            self.check("dummy", PLUGINS / "check_dummy", 2, "told to"),
            self.check("usage", PLUGINS / "check_disk"),
            self.check("disk", PLUGINS / "check_disk", "-w", "1", "-c", "0", "-p", "/"),
            self.check("load", PLUGINS / "check_load", "-w", "9999", "-c", "9999"))
        self.assertEqual((got["dummy"]["state"], got["dummy"]["output"]), (2, "CRITICAL: told to"))
        self.assertEqual(got["usage"]["state"], 3)
        self.assertIn("check_disk", got["usage"]["output"])
        self.assertEqual(got["disk"]["state"], 0)
        self.assertIn("/=", got["disk"]["perfdata"])
        self.assertIn("load1=", got["load"]["perfdata"])
