"""Edge agent, link, hub agent, file: both agents are killed or stopped, and the link fails in every way, while results
are handed in. Then every acknowledged result is in the hub's file, intact as far as the API between them carries it,
each subject's in order, and the books balance. The order of the harms is the seed's (CHECKRELAY_CHAIN_SEED)."""

import collections
import json
import os
import pathlib
import random
import sys

from . import chain_load
from .chain_link import NamespaceLink, ProxyLink, why_no_namespaces
from .harness import PATIENCE, SANITIZED, Case, wait_until

SEED = int(os.environ.get("CHECKRELAY_CHAIN_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
NO_NAMESPACES = why_no_namespaces()


class Chain(Case):
    system = "op5"
    options = {}

    def chain(self, link):
        """The agents at both ends of the link, and who hands in."""
        sys.stderr.write(f"chain test {type(self).__name__}: CHECKRELAY_CHAIN_SEED={SEED}\n")
        self.random, self.link = random.Random(SEED), link
        self.addCleanup(link.close)
        self.hub = self.place("hub", link.hub_wrapper, [self.file_destination()],
                              [{"type": "http", "listen": link.listen, "dialects": [self.system],
                                "user": [{"name": "relay", "password": "secret", "hosts": ["*"]}]}])
        up = {"name": "central", "type": self.system, "url": link.url, "username": "relay", "password": "secret",
              "backlog": "all", "rate": 0, "max_in_flight": 4, "retry_min": "10ms", "retry_max": "100ms", "spread": "0s",
              "timeout": "10s" if SANITIZED else "1s", "connect_timeout": "2s" if SANITIZED else "500ms", **self.options}
        self.edge = self.place("edge", link.edge_wrapper, [up])
        self.carriage = chain_load.CARRIAGES[self.system]
        subjects = self.carriage.subjects
        self.producers = [chain_load.Producer(f"p{i}", SEED + i, self.edge.socket, subjects[i::3]) for i in range(3)]
        for producer in self.producers:
            producer.start()

    def place(self, name, wrapper, destinations, intakes=()):
        directory = self.directory / name
        directory.mkdir()
        agent = self.agent(intakes, destinations, start=False, directory=directory,
                           agent={"hostname": name, "state_dir": str(directory / "state"),
                                  "socket": str(directory / "agent.sock")})
        agent.wrapper = wrapper
        return agent.start()

    def suffer(self, harms):
        """One after the other, with some results getting through in between."""
        self.random.shuffle(harms)
        for harm in harms:
            self.progress()
            harm()
        self.progress()

    def progress(self, bytes_more=2000):
        """Until the hub's file has grown."""
        file = pathlib.Path(self.path("out.jsonl"))

        def size():
            return file.stat().st_size if file.exists() else 0
        before = size()
        wait_until(lambda: size() > before + bytes_more, "results at the far end")

    def until_noticed(self):
        """Until the edge has tried in vain."""
        before = self.edge.destination("central")["retries"]
        self.edge.wait_destination("central", lambda d: d["retries"] > before)

    def more_accepted(self, count=20):
        before = sum(len(p.acknowledged) for p in self.producers)
        wait_until(lambda: sum(len(p.acknowledged) for p in self.producers) >= before + count, "more accepted results")

    def again(self, *agents):
        for agent in agents:
            agent.kill()
        for agent in agents:
            agent.start()

    def end(self):
        for producer in self.producers:
            producer.done.set()
        for producer in self.producers:
            producer.join(PATIENCE)
            self.assertFalse(producer.is_alive(), f"{producer.label} still waits to be acknowledged")
            self.assertIsNone(producer.trouble, producer.label)
        for agent in (self.edge, self.hub):
            wait_until(agent.is_ready, "the agents to be ready")
            agent.wait_idle()
        self.judge()

    def judge(self):
        acknowledged = [key for p in self.producers for key in p.acknowledged]
        arrived, rows = collections.OrderedDict(), self.rows()
        for row in rows:
            key = self.carriage.judge(row)
            self.assertIsNotNone(key, f"damaged: {row}")
            arrived.setdefault(key)
        self.assertEqual(sorted(set(acknowledged) - set(arrived)), [], "acknowledged, and never arrived")
        self.assertEqual(sorted(set(arrived) - set(acknowledged)), [], "arrived, and nobody handed it in")
        newest = {}
        for subject, n in arrived:
            self.assertEqual(n, newest.get(subject, 0) + 1, f"{subject} out of order")
            newest[subject] = n
        books = [self.edge.destination("central"), self.hub.destination("out")]
        for book in books:
            self.assertEqual([book[k] for k in ("pending", "in_flight", "superseded", "expired", "dead")], [0] * 5, book)
        self.assertEqual(books[0]["delivered"], len(acknowledged))
        self.assertGreaterEqual(books[1]["delivered"], len(acknowledged))
        sys.stderr.write(f"chain test {type(self).__name__}: {len(acknowledged)} accepted by the edge, {len(rows)} lines "
                         f"in the hub's file, {books[0]['retries']} tried again\n")

    def rows(self):
        """The file's lines; one that a kill tore in two is no row, and comes again."""
        rows = []
        for line in pathlib.Path(self.path("out.jsonl")).read_text(errors="replace").split("\n"):
            try:
                rows.append(json.loads(line))
            except ValueError:
                pass
        return rows


class ThroughProxy(Chain):
    """Connections that end at every place within a request or an answer, and agents that die just there."""

    def run_chain(self):
        self.chain(ProxyLink(SEED))
        harms = [lambda f=f, n=n: self.fault(f, n) for f, n in (("reset_request", 3), ("half_request", 6), ("hole", 1),
                 ("slow", 10), ("lost_answer", 4), ("half_answer", 4), ("reset_answer", 4))]
        harms += [lambda f=f, a=a: self.kill_at(f, a) for f in ("half_request", "lost_answer", "half_answer")
                  for a in (self.hub, self.edge)]
        harms += [self.loss, lambda: self.again(self.edge, self.hub), self.edge.restart, self.hub.restart]
        self.suffer(harms)
        self.end()

    def fault(self, name, times):
        self.link.arm(name, times)
        wait_until(self.link.spent, f"{name} to have happened")

    def kill_at(self, fault, agent):
        self.link.arm(fault, 1, agent.process.kill)
        wait_until(lambda: agent.process.poll() is not None, "the agent to be dead")
        agent.start()

    def loss(self):
        self.link.loss()
        self.until_noticed()
        self.again(self.edge)
        self.more_accepted()
        self.link.heal()


class InNamespaces(Chain):
    """Packets that vanish while nobody is told, and agents that die meanwhile: the other one still has connections."""

    def run_chain(self):
        if NO_NAMESPACES:
            self.skipTest(f"{NO_NAMESPACES}; the same chain through a proxy runs everywhere")
        self.chain(NamespaceLink())
        self.suffer([self.loss, self.short_loss, self.no_route, self.link.reset, self.link.reset, self.narrow,
                     lambda: self.loss_and_death(self.edge), lambda: self.loss_and_death(self.hub),
                     lambda: self.again(self.hub), lambda: self.again(self.edge),
                     lambda: self.again(self.edge, self.hub)])
        self.end()

    def loss(self):
        self.link.loss()
        self.until_noticed()
        self.link.heal()

    def short_loss(self):
        self.link.loss()
        self.more_accepted()
        self.link.heal()

    def no_route(self):
        self.link.no_route()
        self.until_noticed()
        self.link.route()

    def narrow(self):
        """Narrow, and then gone in the middle of what was being sent."""
        self.link.narrow()
        self.progress()
        self.loss()
        self.link.widen()

    def loss_and_death(self, agent):
        self.link.loss()
        self.more_accepted()
        self.again(agent)
        self.link.heal()


class Op5ThroughProxy(ThroughProxy):
    def test_nothing_is_lost_and_order_is_kept(self):
        self.run_chain()


class GroundWorkThroughProxy(ThroughProxy):
    system = "groundwork"
    options = {"batch_max": 20}

    def test_nothing_is_lost_and_order_is_kept(self):
        self.run_chain()


class OpsviewThroughProxy(ThroughProxy):
    system = "opsview"

    def test_nothing_is_lost_and_order_is_kept(self):
        self.run_chain()


class Op5InNamespaces(InNamespaces):
    def test_nothing_is_lost_and_order_is_kept(self):
        self.run_chain()


class GroundWorkInNamespaces(InNamespaces):
    system = "groundwork"
    options = {"format": "xml"}

    def test_nothing_is_lost_and_order_is_kept(self):
        self.run_chain()


class OpsviewInNamespaces(InNamespaces):
    system = "opsview"
    options = {"submit": "status"}

    def test_nothing_is_lost_and_order_is_kept(self):
        self.run_chain()
