"""Runs the real program. Waits are for conditions, bounded, never for a time."""

import dataclasses
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

from . import toml_text, wire

BINARY = os.environ.get("CHECKRELAY_BIN", "")
SANITIZED = os.environ.get("CHECKRELAY_SANITIZED", "") == "1"
PATIENCE = 240 if SANITIZED else 90  # seconds until a condition that must come true is given up
SPOILED = re.compile("AddressSanitizer|LeakSanitizer|ThreadSanitizer|runtime error:|Assertion .* failed|"
                     "terminate called")


def wait_until(condition, what="the condition", timeout=None):
    """The first true value of condition(); fails the test where it does not come."""
    end = time.monotonic() + (timeout or PATIENCE)
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain for {what}; last seen: {value!r}")
        time.sleep(0.01)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run(*args, **options):
    """The program as a command."""
    options.setdefault("timeout", PATIENCE)
    options.setdefault("stdin", None if "input" in options else subprocess.DEVNULL)
    if "input" in options:
        options.pop("stdin")
    return subprocess.run([BINARY, *map(str, args)], capture_output=True, text=True, **options)


@dataclasses.dataclass
class Reply:
    status: int
    headers: dict
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


class UnixHttp(http.client.HTTPConnection):
    def __init__(self, path, timeout=60):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def request(connection, method, path, body=None, headers=None):
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return Reply(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
    finally:
        connection.close()


class Agent:
    """One configuration, and the processes that run it one after the other."""

    def __init__(self, directory, config):
        self.directory = pathlib.Path(directory)
        self.config = config
        self.file = self.directory / "checkrelay.toml"
        self.socket = config["agent"].get("socket")
        self.log = self.directory / "stderr.log"
        self.process = None
        self.wrapper = []  # the command that runs the program, where it does not run by itself
        self.write()

    def write(self, config=None):
        self.config = config or self.config
        self.file.write_text(toml_text.dumps(self.config))

    def start(self, ready=True, env=None, **options):
        with open(self.log, "ab") as log:
            command = [*self.wrapper, BINARY, "run", "--config", str(self.file)]
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env={**os.environ, **(env or {})}, **options)
        if ready:
            wait_until(self.is_ready, "the agent to be ready")
        return self

    def is_ready(self):
        code = self.process.poll()
        if code is not None:
            raise AssertionError(f"the agent ended with {code}:\n{self.stderr()}")
        try:
            return self.http("GET", "/readyz").status == 200
        except (OSError, http.client.HTTPException):
            return False

    def stop(self):
        """SIGTERM; its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def kill(self):
        self.process.kill()
        self.process.wait(PATIENCE)

    def restart(self):
        code = self.stop()
        if code:
            raise AssertionError(f"the agent stopped with {code}:\n{self.stderr()}")
        return self.start()

    def running(self):
        return self.process is not None and self.process.poll() is None

    def reload(self):
        """SIGHUP, after the log so far; use said() for what it then says."""
        self.process.send_signal(signal.SIGHUP)

    def stderr(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def memory(self, field):
        """KiB by a field of the kernel's account: VmRSS, VmHWM (the peak), RssAnon."""
        account = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"^{field}:\s*(\d+) kB$", account, re.MULTILINE)[1])

    def http(self, method, path, body=None, headers=None):
        return request(UnixHttp(self.socket), method, path, body, headers)

    def cli(self, command, *args, **options):
        return run(command, *args, "-C", self.socket, **options)

    def status(self):
        return self.http("GET", "/v1/status").json

    def destination(self, name):
        return next(d for d in self.status()["destinations"] if d["name"] == name)

    def intake(self, kind):
        return next(i for i in self.status()["intakes"] if i["type"] == kind)

    def wait_destination(self, name, condition):
        """Waits until condition(status of the destination) and returns that status."""
        seen = {}

        def look():
            seen.update(self.destination(name))
            return condition(seen)
        try:
            wait_until(look, f"destination {name}")
        except AssertionError as error:
            raise AssertionError(f"{error}: {seen}") from None
        return seen

    def wait_idle(self, *names):
        """Until these destinations (all, where none are named) owe nothing more."""
        def idle():
            rows = [d for d in self.status()["destinations"] if not names or d["name"] in names]
            return all(d["pending"] + d["in_flight"] == 0 for d in rows)
        wait_until(idle, "nothing pending")


class Case(unittest.TestCase):
    """A directory, and helpers that start agents in it and see that they end well."""

    maxDiff = 4000

    def setUp(self):
        if not BINARY:
            self.fail("CHECKRELAY_BIN names no program")
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="cr-", dir="/tmp"))  # short: socket paths have a limit
        self.directory.chmod(0o755)
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.agents = []

    def path(self, name):
        return str(self.directory / name)

    def config(self, intakes=(), destinations=None, **sections):
        """A whole configuration: the agent's socket and a file destination `out`, unless said otherwise."""
        agent = {"hostname": "edge1", "state_dir": self.path("state"), "socket": self.path("agent.sock")}
        agent.update(sections.pop("agent", {}))
        destinations = [self.file_destination()] if destinations is None else destinations
        config = {"agent": agent, **{k: v for k, v in sections.items() if isinstance(v, dict)}}
        config["intake"] = list(intakes)
        config["destination"] = list(destinations)
        config.update({k: v for k, v in sections.items() if not isinstance(v, dict)})
        return {k: v for k, v in config.items() if v}

    def file_destination(self, name="out", **options):
        return {"name": name, "type": "file", "path": self.path(f"{name}.jsonl"), "retry_min": "20ms",
                "retry_max": "100ms",
                **options}

    def op5_destination(self, sim, name="central", **options):
        """An OP5 destination that is quick to try again and not slowed down, unless said otherwise."""
        return {"name": name, "type": "op5", "url": sim.url, "username": "status_update", "password": "mysecret",
                "rate": 0, "retry_min": "20ms", "retry_max": "200ms", "spread": "0s", **options}

    def agent(self, intakes=(), destinations=None, start=True, directory=None, env=None, **sections):
        agent = Agent(directory or self.directory, self.config(intakes, destinations, **sections))
        self.agents.append(agent)
        self.addCleanup(self._end, agent)
        return agent.start(env=env) if start else agent

    def _end(self, agent):
        code = agent.stop() if agent.running() else 0
        log = agent.stderr()
        if not self._outcome_ok():
            sys.stderr.write(f"\n--- log of the agent in {self.id()}\n{log[-6000:]}\n---\n")
        self.assertIsNone(SPOILED.search(log), log[-4000:])
        self.assertEqual(code, 0, f"exit status after SIGTERM\n{log[-4000:]}")

    def _outcome_ok(self):
        result = self._outcome.result
        return not any(case is self for case, _ in result.failures + result.errors) and self._outcome.success

    def delivered(self, name="out"):
        """What a file destination holds, as objects."""
        try:
            text = pathlib.Path(self.path(f"{name}.jsonl")).read_text()
        except FileNotFoundError:
            return []
        return [json.loads(line) for line in text.split("\n")[:-1]]

    def outputs(self, name="out"):
        return [row["output"] for row in self.delivered(name)]

    def wait_delivered(self, count, name="out"):
        wait_until(lambda: len(self.delivered(name)) >= count, f"{count} results in {name}")
        return self.delivered(name)

    def send_json(self, agent, *results):
        """Hands results in and returns the replies."""
        data = b"".join(json.dumps(r).encode() + b"\n" for r in results)
        return wire.talk(agent.socket, data)

    def accept(self, agent, *results):
        replies = self.send_json(agent, *results)
        self.assertEqual([r["ok"] for r in replies], [True] * len(results), replies)
        return [r["id"] for r in replies]


def result(n=1, host="db1", service="Backup", state=0, **more):
    return {"host": host, "service": service, "state": state, "output": f"n={n}", **more}
