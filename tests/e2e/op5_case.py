"""An agent with one OP5 destination in front of the simulator."""

from simulators.op5 import Op5

from .harness import PATIENCE, Case


class Op5Case(Case):
    def central(self, backlog="all", objects=None, config=None, **options):
        """An agent with one OP5 destination, `central`."""
        self.sim = Op5(objects=objects).start()
        self.addCleanup(self.sim.stop)
        destination = self.op5_destination(self.sim, backlog=backlog, **options)
        self.relay = self.agent(destinations=[destination], **(config or {}))
        return self.relay

    def applied(self, count):
        self.assertTrue(self.sim.wait(lambda: len(self.sim.journal) >= count, PATIENCE),
                        f"{len(self.sim.journal)} of {count} applied: {self.relay.status()}")
        return self.sim.journal

    def all_well(self, delivered):
        self.relay.wait_destination("central", lambda d: d["delivered"] == delivered and d["state"] == "ok")
