"""A long outage: what waits costs disk, not memory, and a start does not depend on it."""

import json
import threading
import time

from simulators.op5 import Op5

from . import wire
from .harness import SANITIZED, Case, result

MANY = 20000 if SANITIZED else 300000


class Backlog(Case):
    def hand_in(self, agent, count, subjects=5000):
        with wire.Stream(agent.socket) as stream:
            def send():
                for first in range(0, count, 1000):
                    stream.send(b"".join(b"db1\ts%d\t0\tn=%d %s\n" % (n % subjects, n, b"x" * 200)
                                         for n in range(first, first + 1000)))
            sender = threading.Thread(target=send)
            sender.start()
            for _ in range(count):
                self.assertTrue(stream.reply()["ok"])
            sender.join()

    def test_memory_and_start_do_not_grow_with_the_backlog(self):
        sim = Op5().start()
        self.addCleanup(sim.stop)
        sim.stop()
        agent = self.agent(destinations=[self.op5_destination(sim, backlog="all")])
        self.hand_in(agent, MANY)
        self.assertEqual(agent.status()["journal"]["pending"], MANY)
        before = agent.memory("RssAnon")
        agent.kill()
        begun = time.monotonic()
        agent.start()
        taken = time.monotonic() - begun
        self.assertEqual(agent.status()["journal"]["pending"], MANY)
        self.accept(agent, result(1))
        if not SANITIZED:
            self.assertLess(max(before, agent.memory("RssAnon")), 64 * 1024, "KiB")
            self.assertLess(taken, 5)

    def test_a_backlog_that_is_delivered_leaves_the_disk(self):
        agent = self.agent(destinations=[self.file_destination("out", path=self.path("later/out.jsonl"))],
                           limits={"history_size": "64KiB"})
        count = MANY // 10
        self.hand_in(agent, count)
        most = agent.status()["journal"]["bytes"]
        (self.directory / "later").mkdir()
        agent.wait_destination("out", lambda d: d["delivered"] == count)
        lines = (self.directory / "later" / "out.jsonl").read_text().splitlines()
        self.assertEqual(len({json.loads(line)["id"] for line in lines}), count)
        self.hand_in(agent, count)
        agent.wait_destination("out", lambda d: d["delivered"] == 2 * count)
        self.assertLess(agent.status()["journal"]["bytes"], 2 * most, "the room of what is finished is used again")
