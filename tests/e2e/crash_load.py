"""Producers for the crash test: they hand in without pause, remember what was acknowledged, and after a failure hand in
again, in order, what was not. What a result says can be computed from its subject and number, so that whatever arrives
can be judged without asking who sent it."""

import hashlib
import http.client
import json
import os
import random
import re
import threading
import time

from . import wire
from .harness import run

OUTPUT = re.compile(r"(\S+) n=(\d+) ")


def text(subject, n):
    digest = hashlib.sha256(f"{subject} {n}".encode()).hexdigest()
    return f"{subject} n={n} {digest * (1 + int(digest[:2], 16) % 8)}"


def judge(output):
    """(subject, n) of an intact output; None of a damaged one."""
    match = OUTPUT.match(output)
    if not match:
        return None
    subject, n = match[1], int(match[2])
    return (subject, n) if output == text(subject, n) else None


class Producer(threading.Thread):
    """Hands in batches until told to stop, and then until nothing is unacknowledged. `order`: a subject's numbers are
    handed in in order, each only after or together with the ones before it."""

    order = True

    def __init__(self, name, seed):
        super().__init__(daemon=True)
        self.label = name
        self.random = random.Random(seed)
        self.done = threading.Event()
        self.acknowledged = []  # (subject, n)
        self.numbers = {}
        self.failures = 0
        self.trouble = None  # what ended it before its time

    def run(self):
        try:
            self.work()
        except Exception as error:  # told by whoever joins it
            self.trouble = error
        self.close()

    def work(self):
        while not self.done.is_set():
            batch = [self.make() for _ in range(self.random.randint(1, 6))]
            while batch:
                try:
                    count = self.hand_in(batch)
                except (OSError, http.client.HTTPException, ValueError):
                    count = 0
                    self.close()
                self.acknowledged += batch[:count]
                batch = batch[count:]
                if batch:
                    self.failures += 1
                    time.sleep(0.02)  # as a client that tries again
            self.done.wait(self.random.uniform(0, 0.05))

    def make(self):
        subject = f"{self.label}-{self.random.randrange(3)}"
        self.numbers[subject] = n = self.numbers.get(subject, 0) + 1
        return subject, n

    def hand_in(self, batch):
        """How many, from the first on, are acknowledged."""
        raise NotImplementedError

    def close(self):
        pass


class Stream(Producer):
    def __init__(self, name, seed, address, form, ids):
        super().__init__(name, seed)
        self.address, self.form, self.ids, self.stream = address, form, ids, None

    def hand_in(self, batch):
        if self.stream is None:
            self.stream = wire.Stream(self.address, timeout=30)
        self.stream.send(b"".join(self.encode(s, n) for s, n in batch))
        for count in range(len(batch)):
            reply = self.stream.reply()
            if not reply or not reply["ok"]:
                self.close()
                return count
        return len(batch)

    def encode(self, subject, n):
        more = {"id": f"{subject}.{n}"} if self.ids else {}
        return wire.encode(self.form, "host1", subject, n % 4, text(subject, n), **more)

    def close(self):
        if self.stream:
            self.stream.close()
            self.stream = None


class HttpNative(Producer):
    def __init__(self, name, seed, port):
        super().__init__(name, seed)
        self.port = port

    def hand_in(self, batch):
        lines = [wire.encode(wire.JSON, "host1", s, n % 4, text(s, n), id=f"{s}.{n}") for s, n in batch]
        status, body = self.post("/v1/results", b"".join(lines))
        if status != 200:
            return 0
        oks = [r["ok"] for r in json.loads(body)["results"]]
        return oks.index(False) if False in oks else len(oks)

    def post(self, path, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("POST", path, body)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()


class HttpOp5(HttpNative):
    def hand_in(self, batch):
        for count, (subject, n) in enumerate(batch):
            body = {"host_name": "host1", "service_description": subject, "status_code": str(n % 4),
                    "plugin_output": text(subject, n)}
            status, answer = self.post("/api/command/PROCESS_SERVICE_CHECK_RESULT", json.dumps(body))
            if status != 200 or "result" not in json.loads(answer):
                return count
        return len(batch)


class Spool(Producer):
    """A file that is in the directory is safe. Files have subjects of their own: their order is not promised."""

    def __init__(self, name, seed, directory, form):
        super().__init__(name, seed)
        self.directory, self.form, self.files = directory, form, 0

    def make(self):
        subject = f"{self.label}-{self.files}"
        self.numbers[subject] = n = self.numbers.get(subject, 0) + 1
        return subject, n

    def hand_in(self, batch):
        data = b"".join(wire.encode(self.form, "host1", s, n % 4, text(s, n)) for s, n in batch)
        wire.spool(self.directory, f"{self.label}-{self.files}", data)
        self.files += 1
        return len(batch)


class Send(Producer):
    """The command: exit status 0 is safe, with the agent up or down. A subject each: what goes through the spool may
    be overtaken."""

    def __init__(self, name, seed, agent):
        super().__init__(name, seed)
        self.agent, self.count = agent, 0

    def make(self):
        self.count += 1
        return f"{self.label}-{self.count}", 1

    def hand_in(self, batch):
        for count, (subject, n) in enumerate(batch):
            done = run("send", "--config", self.agent.file, "-H", "host1", "-S", subject, "-s", n % 4, "-m",
                       text(subject, n),
                       "--id", f"{subject}.{n}")
            if done.returncode != 0:
                return count
        return len(batch)


class Unheard(Producer):
    """Ways in without a reply: nothing is promised but that what arrives is intact and in order."""

    def __init__(self, name, seed, path, write):
        super().__init__(name, seed)
        self.path, self.write = path, write

    def hand_in(self, batch):
        for subject, n in batch:
            try:
                self.write(self.path, wire.encode(wire.JSON, "host1", subject, n % 4, text(subject, n)))
            except OSError:
                pass
        return len(batch)


def write_fifo(path, data):
    """As a careful script does: never waits for a reader that is not there."""
    pipe = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    try:
        os.write(pipe, data)
    finally:
        os.close(pipe)
