"""Runs of `checkrelay exec`, and what they leave in a spool directory or tell an agent that is none."""

import json
import os
import pathlib
import socket
import subprocess
import threading

from .harness import BINARY, PATIENCE, Case, wait_until

# Dies of no TERM, and says so once it would not.
STUBBORN = "trap '' TERM; echo ready; while :; do sleep 1000; done"


class Ear:
    """A socket like the agent's: hears what is told, and answers each line unless it is `mute`."""

    def __init__(self, path, mute=False):
        self.lines = []
        self.mute = mute
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(16)
        self.kept = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                peer = self.listener.accept()[0]
            except OSError:
                return
            self.kept.append(peer)
            threading.Thread(target=self._hear, args=(peer,), daemon=True).start()

    def _hear(self, peer):
        for line in peer.makefile("rb"):
            self.lines.append(json.loads(line))
            if not self.mute:
                try:
                    peer.sendall(b'{"ok":true,"id":"%s"}\n' % self.lines[-1]["id"].encode())
                except OSError:
                    return

    def close(self):
        self.listener.close()
        for peer in self.kept:
            peer.close()


class ExecCase(Case):
    def setUp(self):
        super().setUp()
        self.spool = self.directory / "spool"
        self.spool.mkdir()

    def environment(self, **more):
        return {**os.environ, "CHECKRELAY_SOCKET": self.path("agent.sock"), "CHECKRELAY_SPOOL": str(self.spool),
                "CHECKRELAY_CONFIG": self.path("none.toml"), **more}

    def words(self, *words):
        """The command line; options come before the command."""
        return [BINARY, "exec", "-S", "Job", *map(str, words)]

    def exec(self, *words, **options):
        options.setdefault("stdin", None if "input" in options else subprocess.DEVNULL)
        if "input" in options:
            options.pop("stdin")
        options = {"timeout": PATIENCE, "env": self.environment(), "capture_output": True, **options}
        return subprocess.run(self.words(*words), **options)

    def sh(self, script, *options, **more):
        return self.exec(*options, "--", "sh", "-c", script, **more)

    def begin(self, *words, **options):
        """Runs beside the test, which must see that it ends."""
        options = {"env": self.environment(), "stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
                   "stderr": subprocess.PIPE, **options}
        process = subprocess.Popen(self.words(*words), **options)
        self.addCleanup(self._put_away, process)
        return process

    def _put_away(self, process):
        if process.poll() is None:
            process.kill()
        process.communicate()

    def begin_sh(self, script, *options, **more):
        """The same, once the script has said `ready`."""
        process = self.begin(*options, "--", "sh", "-c", script, **more)
        self.assertEqual(process.stdout.readline(), b"ready\n")
        return process

    def kept(self):
        """The records in the spool directory, oldest first."""
        files = sorted(self.spool.iterdir(), key=lambda f: f.stat().st_mtime_ns)
        return [json.loads(line) for f in files for line in f.read_text().splitlines()]

    def only_kept(self):
        records = self.kept()
        self.assertEqual(len(records), 1, records)
        return records[0]

    def ear(self, **options):
        ear = Ear(self.path("agent.sock"), **options)
        self.addCleanup(ear.close)
        return ear


def alive(pid):
    """A process that is more than a corpse."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def gone(pid):
    wait_until(lambda: not alive(pid), f"process {pid} to end")
