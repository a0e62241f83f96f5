"""Starting, reloading, and living under a service manager."""

import fcntl
import json
import os
import pathlib
import signal
import socket
import subprocess
import time
import unittest

from simulators.op5 import Op5

from . import wire
from .harness import BINARY, PATIENCE, SANITIZED, Case, free_port, result, run, wait_until


class Reload(Case):
    def reload(self, agent, config, word="reload"):
        """Reloads and waits until the log says what came of it."""
        before = agent.stderr().lower().count(word)
        agent.write(config)
        agent.reload()
        wait_until(lambda: agent.stderr().lower().count(word) > before, f"{word!r} in the log")

    def destinations(self, agent, *names):
        def configured():
            return [d["name"] for d in agent.status()["destinations"] if d["type"] != "removed"]
        wait_until(lambda: configured() == list(names), f"destinations {names}")

    def test_open_connections_and_their_results_live_on(self):
        agent = self.agent()
        with wire.Stream(agent.socket) as stream:
            self.assertTrue(stream.ask(json.dumps(result(1)).encode() + b"\n")["ok"])
            self.reload(agent, self.config(destinations=[self.file_destination(), self.file_destination("second")]))
            self.destinations(agent, "out", "second")
            self.assertTrue(stream.ask(json.dumps(result(2)).encode() + b"\n")["ok"])
        self.wait_delivered(2)
        self.wait_delivered(1, "second")
        self.assertEqual((self.outputs(), self.outputs("second")), (["n=1", "n=2"], ["n=2"]))

    def test_a_bad_configuration_keeps_the_old_and_names_the_fault(self):
        agent = self.agent()
        with wire.Stream(agent.socket) as stream:
            good = agent.config
            self.reload(agent, {**good, "limits": {"max_reslut": "1KiB"}}, "max_reslut")
            self.assertIn("checkrelay.toml:", agent.stderr())
            self.assertTrue(stream.ask(json.dumps(result(1)).encode() + b"\n")["ok"])
        self.accept(agent, result(2))
        self.wait_delivered(2)
        agent.write(good)

    def test_an_intake_that_cannot_open_is_named_and_everything_else_goes_on(self):
        agent = self.agent()
        with socket.create_server(("127.0.0.1", 0)) as taken:
            where = f"127.0.0.1:{taken.getsockname()[1]}"
            self.reload(agent, self.config([{"type": "tcp", "listen": where}]), where)
        self.accept(agent, result(1))
        self.wait_delivered(1)

    def test_intakes_come_and_go(self):
        agent = self.agent()
        port = free_port()
        agent.write(self.config([{"type": "tcp", "listen": f"127.0.0.1:{port}"}]))
        agent.reload()
        wait_until(lambda: len(agent.status()["intakes"]) == 2, "the new intake")
        self.assertTrue(wire.talk(("127.0.0.1", port), json.dumps(result(1)).encode() + b"\n")[0]["ok"])
        agent.write(self.config())
        agent.reload()
        wait_until(lambda: len(agent.status()["intakes"]) == 1, "the intake to go")
        with self.assertRaises(OSError):
            socket.create_connection(("127.0.0.1", port), 5)

    def test_new_credentials_are_used_at_once(self):
        sim = Op5(users={"status_update": "new"}).start()
        self.addCleanup(sim.stop)
        agent = self.agent(destinations=[self.op5_destination(sim, password="old", retry_max="600s")])
        self.accept(agent, result(1))
        agent.wait_destination("central", lambda d: d["state"] == "auth")
        agent.write(self.config(destinations=[self.op5_destination(sim, password="new", retry_max="600s")]))
        agent.reload()
        agent.wait_destination("central", lambda d: d["delivered"] == 1)

    def test_many_reloads_under_load_lose_nothing(self):
        agent = self.agent([{"type": "spool", "path": self.path("spool")}])
        configs = [self.config([{"type": "spool", "path": self.path("spool")}], [self.file_destination(), *more])
                   for more in ([], [{"name": "nowhere", "type": "discard"}])]
        sent = 0
        with wire.Stream(agent.socket) as stream:
            for round_ in range(20):
                agent.write(configs[round_ % 2])
                agent.reload()
                for _ in range(20):
                    self.assertTrue(stream.ask(json.dumps(result(sent)).encode() + b"\n")["ok"])
                    sent += 1
        self.wait_delivered(sent)
        self.assertEqual(self.outputs(), [f"n={n}" for n in range(sent)])

    def test_a_removed_destination_keeps_what_it_owes_until_it_is_back(self):
        sim = Op5().start()
        self.addCleanup(sim.stop)
        sim.stop()
        both = self.config(destinations=[self.file_destination(), self.op5_destination(sim, backlog="all")])
        agent = self.agent(destinations=both["destination"])
        self.accept(agent, *(result(n) for n in range(5)))
        self.wait_delivered(5)
        agent.write(self.config())
        agent.reload()
        self.destinations(agent, "out")
        agent.restart()
        sim.start()
        agent.write(both)
        agent.reload()
        agent.wait_destination("central", lambda d: d["delivered"] == 5)
        self.assertEqual(sim.outputs("db1", "Backup"), [f"n={n}" for n in range(5)])


class Start(Case):
    def cannot_run(self, *words, intakes=(), **sections):
        agent = self.agent(intakes, start=False, **sections)
        done = run("run", "--config", agent.file)
        self.assertEqual(done.returncode, 1, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)

    def test_an_address_in_use_is_named(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            where = f"127.0.0.1:{taken.getsockname()[1]}"
            self.cannot_run(where, "in use", intakes=[{"type": "tcp", "listen": where}])

    def test_a_state_directory_that_cannot_be_is_named(self):
        (self.directory / "file").write_text("")
        self.cannot_run(self.path("file"), agent={"state_dir": self.path("file") + "/state"})

    def test_a_socket_of_a_living_agent_is_not_stolen(self):
        first = self.agent()
        self.cannot_run(self.path("agent.sock"), agent={"state_dir": self.path("other")})
        self.accept(first, result(1))

    def test_a_socket_left_by_a_killed_agent_is_replaced(self):
        agent = self.agent([{"type": "unixgram", "path": self.path("gram")},
                            {"type": "fifo", "path": self.path("fifo")}])
        agent.kill()
        agent.start()
        wire.datagram(self.path("gram"), b"db1\tBackup\t0\tgram\n")
        wire.fifo(self.path("fifo"), b"db1\tBackup\t0\tfifo\n")
        self.wait_delivered(2)

    def test_a_file_in_the_sockets_place_is_not_removed(self):
        (self.directory / "agent.sock").write_text("precious")
        self.cannot_run("agent.sock")
        self.assertEqual((self.directory / "agent.sock").read_text(), "precious")


class Manager:
    """The service manager's end of sd_notify."""

    def __init__(self, path):
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        self.socket.settimeout(PATIENCE)

    def until(self, word):
        """Reads messages until one says `word`; that message."""
        while True:
            message = self.socket.recv(4096).decode()
            if word in message:
                return message


class Systemd(Case):
    def setUp(self):
        super().setUp()
        self.manager = Manager(self.path("notify"))
        self.addCleanup(self.manager.socket.close)

    def test_ready_reload_and_stop_are_told(self):
        agent = self.agent(start=False)
        agent.start(ready=False, env={"NOTIFY_SOCKET": self.manager.path})
        self.manager.until("READY=1")
        self.accept(agent, result(1))  # ready means that it takes results
        agent.reload()
        self.assertIn("MONOTONIC_USEC=", self.manager.until("RELOADING=1"))
        self.manager.until("READY=1")
        agent.process.send_signal(signal.SIGTERM)
        self.manager.until("STOPPING=1")
        self.assertEqual(agent.process.wait(PATIENCE), 0)

    def test_watchdog_is_fed(self):
        agent = self.agent(start=False)
        agent.start(ready=False, env={"NOTIFY_SOCKET": self.manager.path, "WATCHDOG_USEC": "400000"})
        for _ in range(3):
            self.manager.until("WATCHDOG=1")
        self.assertTrue(agent.running())

    def activated(self, agent, *sockets):
        """Starts the agent with listening sockets from fd 3 on, as the service manager does."""
        fds = [fcntl.fcntl(sock, fcntl.F_DUPFD, 20) for sock in sockets]
        moves = " ".join(f"{place}<&{fd} {fd}<&-" for place, fd in enumerate(fds, 3))
        script = f'exec {moves}; LISTEN_FDS={len(fds)} LISTEN_PID=$$ exec "$0" run --config "$1"'
        with open(agent.log, "ab") as log:
            agent.process = subprocess.Popen(["bash", "-c", script, BINARY, str(agent.file)], pass_fds=fds,
                                             stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        for fd in fds:
            os.close(fd)
        wait_until(agent.is_ready, "the agent to be ready")

    def test_sockets_are_inherited_and_connections_made_before_the_start_are_served(self):
        port = free_port()
        agent = self.agent([{"type": "tcp", "listen": f"127.0.0.1:{port}"}], start=False)
        with socket.socket(socket.AF_UNIX) as unix, socket.create_server(("127.0.0.1", port)) as tcp:
            unix.bind(agent.socket)
            unix.listen()
            early = wire.Stream(agent.socket).send(json.dumps(result(1)).encode() + b"\n")
            self.addCleanup(early.close)
            self.activated(agent, unix, tcp)
        self.assertTrue(early.reply()["ok"])
        self.assertTrue(wire.talk(("127.0.0.1", port), json.dumps(result(2)).encode() + b"\n")[0]["ok"])
        self.wait_delivered(2)
        self.assertEqual(agent.stop(), 0)
        self.assertTrue(os.path.exists(agent.socket), "the manager's socket is the manager's to remove")

    def test_systemd_socket_activate_starts_it_at_the_first_connection(self):
        if subprocess.run(["which", "systemd-socket-activate"], capture_output=True).returncode:
            self.skipTest("systemd-socket-activate is not installed")
        agent = self.agent(start=False)
        with open(agent.log, "ab") as log:
            agent.process = subprocess.Popen(["systemd-socket-activate", "-l", agent.socket, BINARY, "run", "--config",
                                              str(agent.file)],
                                             stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(lambda: os.path.exists(agent.socket), "the socket")
        wait_until(lambda: self._accepted(agent), "the first result")
        self.wait_delivered(1)

    def _accepted(self, agent):
        try:
            return wire.talk(agent.socket, json.dumps(result(1, id="once")).encode() + b"\n")[0]["ok"]
        except OSError:
            return False


class Quiet(Case):
    def wakeups(self, pid):
        total = 0
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            text = (task / "status").read_text()
            total += int(text.split("voluntary_ctxt_switches:")[1].split()[0])
        return total

    @unittest.skipIf(SANITIZED, "a sanitizer has a thread of its own")
    def test_an_idle_agent_does_not_wake_up(self):
        sim = Op5().start()
        self.addCleanup(sim.stop)
        agent = self.agent([{"type": "spool", "path": self.path("spool")}, {"type": "fifo", "path": self.path("fifo")}],
                           [self.file_destination(), self.op5_destination(sim)])
        self.accept(agent, result(1))
        agent.wait_idle()
        calm = {"since": time.monotonic(), "count": self.wakeups(agent.process.pid)}

        def two_calm_seconds():
            count = self.wakeups(agent.process.pid)
            if count > calm["count"] + 4:
                calm.update(since=time.monotonic(), count=count)
            return time.monotonic() - calm["since"] > 2
        wait_until(two_calm_seconds, "two seconds without wake-ups")

    @unittest.skipIf(SANITIZED, "a sanitizer's memory is its own")
    def test_idle_memory_is_small(self):
        agent = self.agent()
        self.accept(agent, result(1))
        agent.wait_idle()
        self.assertLess(agent.memory("VmRSS"), 40 * 1024, "KiB")
