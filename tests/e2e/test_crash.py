"""SIGKILL at random moments, under load from every way in, while the upstream fails too. Then: every acknowledged
result has arrived everywhere, intact, each subject's in order, and the books balance.

CHECKRELAY_CRASH_KILLS says how often, CHECKRELAY_CRASH_SECONDS for how long at least, CHECKRELAY_CRASH_SEED repeats a
run's choices (not its timing)."""

import collections
import json
import os
import pathlib
import random
import sys
import threading
import time

from simulators.op5 import Op5

from . import crash_load, wire
from .harness import PATIENCE, SANITIZED, Case, free_port, wait_until

KILLS = int(os.environ.get("CHECKRELAY_CRASH_KILLS", "50"))
SECONDS = float(os.environ.get("CHECKRELAY_CRASH_SECONDS", "0"))
SEED = int(os.environ.get("CHECKRELAY_CRASH_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)


class Vandal(threading.Thread):
    """Makes the upstream fail in one way after the other."""

    def __init__(self, sim, seed):
        super().__init__(daemon=True)
        self.sim, self.random, self.done = sim, random.Random(seed), threading.Event()

    def run(self):
        faults = self.sim.faults
        harms = (lambda: faults.fail_next(3, 503, "busy", "text/plain"), lambda: self.sim.fail_500_object(2),
                 lambda: faults.set(drop_after_apply=2), lambda: faults.set(drop_before_apply=2),
                 lambda: faults.set(truncate_body=1),
                 lambda: faults.set(stale_keepalive=2), lambda: faults.set(latency_ms=30), faults.clear,
                 self.sim.restart, self.outage)
        while not self.done.wait(self.random.uniform(0.05, 0.3)):
            self.random.choice(harms)()
        faults.clear()

    def outage(self):
        self.sim.stop()
        self.done.wait(self.random.uniform(0.1, 0.6))
        self.sim.start()


class Crash(Case):
    def setUp(self):
        super().setUp()
        sys.stderr.write(f"crash test: {KILLS} kills, {SECONDS:.0f} s at least, CHECKRELAY_CRASH_SEED={SEED}\n")
        self.random = random.Random(SEED)
        self.sim = Op5().start()
        self.addCleanup(self.sim.stop)
        self.tcp, self.http = free_port(), free_port()
        intakes = [{"type": "tcp", "listen": f"127.0.0.1:{self.tcp}"}, {"type": "unixgram", "path": self.path("gram")},
                   {"type": "fifo", "path": self.path("fifo")}, {"type": "spool", "path": self.path("spool")},
                   {"type": "http", "listen": f"127.0.0.1:{self.http}", "dialects": ["native", "op5"]}]
        central = self.op5_destination(self.sim, backlog="all", max_in_flight=8, retry_min="10ms", retry_max="100ms",
                                       timeout="5s")
        self.relay = self.agent(intakes, [self.file_destination(), central, {"name": "nowhere", "type": "discard"}])
        self.kills = 0

    def producers(self):
        kinds = [lambda seed: crash_load.Stream("unix-json", seed, self.relay.socket, wire.JSON, ids=True),
                 lambda seed: crash_load.Stream("unix-msgpack", seed, self.relay.socket, wire.MSGPACK, ids=True),
                 lambda seed: crash_load.Stream("unix-nsca", seed, self.relay.socket, wire.NSCA, ids=False),
                 lambda seed: crash_load.Stream("tcp-nagios", seed, ("127.0.0.1", self.tcp), wire.NAGIOS, ids=False),
                 lambda seed: crash_load.HttpNative("http-native", seed, self.http),
                 lambda seed: crash_load.HttpOp5("http-op5", seed, self.http),
                 lambda seed: crash_load.Spool("spool-json", seed, self.path("spool"), wire.JSON),
                 lambda seed: crash_load.Spool("spool-nsca", seed, self.path("spool"), wire.NSCA),
                 lambda seed: crash_load.Send("send", seed, self.relay),
                 lambda seed: crash_load.Unheard("gram", seed, self.path("gram"), wire.datagram),
                 lambda seed: crash_load.Unheard("fifo", seed, self.path("fifo"), crash_load.write_fifo)]
        return [kind(SEED + i) for i, kind in enumerate(kinds)]

    def test_acknowledged_results_survive_sigkill_at_any_moment(self):
        producers, vandal = self.producers(), Vandal(self.sim, SEED)
        for thread in (*producers, vandal):
            thread.start()
        self.kill_often()
        vandal.done.set()
        vandal.join()
        for producer in producers:
            producer.done.set()
        for producer in producers:
            producer.join(PATIENCE)
            self.assertFalse(producer.is_alive(), f"{producer.label} still waits to be acknowledged")
            self.assertIsNone(producer.trouble, producer.label)
        self.settle()
        self.judge(producers)

    def kill_often(self):
        """Some die while they start, some in the middle of their work, and a few are asked to stop."""
        end = time.monotonic() + SECONDS
        while self.kills < KILLS or time.monotonic() < end:
            self.kills += 1
            self.relay.kill()
            unborn = self.random.random() < 0.2
            self.relay.start(ready=not unborn)
            time.sleep(self.random.uniform(0, 0.1 if unborn else 0.4) * (3 if SANITIZED else 1))
            if not unborn and self.random.random() < 0.1:
                self.assertEqual(self.relay.stop(), 0)
                self.relay.start()
        wait_until(self.relay.is_ready, "the last agent to be ready")

    def settle(self):
        wait_until(lambda: os.listdir(self.path("spool")) in ([], ["rejected"]), "the spool to be empty", 4 * PATIENCE)
        end = time.monotonic() + 6 * PATIENCE
        while any(d["pending"] + d["in_flight"] for d in self.relay.status()["destinations"]):
            self.assertLess(time.monotonic(), end, self.relay.status())
            time.sleep(0.05)

    def judge(self, producers):
        rows = self.rows()
        central = [item.output + ("|" + item.perfdata if item.perfdata else "") for item in self.sim.journal]
        for name, outputs in (("file", [r["output"] for r in rows]), ("op5", central)):
            self.judge_arrivals(name, outputs, producers)
        self.judge_books(rows)
        acknowledged = sum(len(p.acknowledged) for p in producers if not isinstance(p, crash_load.Unheard))
        sys.stderr.write(f"crash test: {self.kills} kills, {acknowledged} acknowledged, {len(rows)} in the file, "
                         f"{len(central)} at the upstream; "
                         f"failures {({p.label: p.failures for p in producers})}\n")
        self.assertGreater(acknowledged, 20 * self.kills, "too little traffic to prove anything")

    def rows(self):
        """The file's lines; a line that a kill tore in two is no row, and must hide no other."""
        rows = []
        for line in pathlib.Path(self.path("out.jsonl")).read_text(errors="replace").splitlines():
            try:
                rows.append(json.loads(line))
            except ValueError:
                sys.stderr.write(f"crash test: a torn line of {len(line)} bytes\n")
        return rows

    def judge_arrivals(self, name, outputs, producers):
        arrived = collections.OrderedDict()  # first arrivals
        for output in outputs:
            key = crash_load.judge(output)
            self.assertIsNotNone(key, f"{name}: damaged: {output!r}")
            arrived.setdefault(key)
        heard = [p for p in producers if not isinstance(p, crash_load.Unheard)]
        missing = [key for p in heard for key in p.acknowledged if key not in arrived]
        self.assertEqual(missing, [], f"{name}: acknowledged, and never arrived")
        newest = {}
        for subject, n in arrived:
            self.assertGreater(n, newest.get(subject, 0), f"{name}: {subject} out of order")
            newest[subject] = n

    def judge_books(self, rows):
        books = {d["name"]: d for d in self.relay.status()["destinations"]}
        for name, d in books.items():
            others = {k: d[k] for k in ("pending", "in_flight", "superseded", "expired", "dead")}
            self.assertEqual(set(others.values()), {0}, (name, others))
        for name in ("central", "nowhere"):
            self.assertEqual(books["out"]["delivered"], books[name]["delivered"], name)
        self.assertEqual(books["out"]["delivered"], len({r["id"] for r in rows}),
                         "delivered, against distinct results in the file")
