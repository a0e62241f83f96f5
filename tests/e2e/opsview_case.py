"""An agent with one Opsview destination in front of the simulator."""

from simulators.opsview import Opsview

from .harness import PATIENCE, Case


class OpsviewCase(Case):
    def opsview_destination(self, sim, name="central", **options):
        """A destination that is quick to try again, unless said otherwise."""
        return {"name": name, "type": "opsview", "url": sim.url, "username": "relay", "password": "secret",
                "retry_min": "20ms", "retry_max": "200ms", "spread": "0s", **options}

    def central(self, backlog="all", objects=None, config=None, **options):
        """An agent with one Opsview destination, `central`."""
        self.sim = Opsview(objects=objects).start()
        self.addCleanup(self.sim.stop)
        destination = self.opsview_destination(self.sim, backlog=backlog, **options)
        directory = self.directory / str(len(self.agents))  # a test may have several, one after the other
        directory.mkdir()
        self.relay = self.agent(destinations=[destination], directory=directory,
                                agent={"state_dir": str(directory / "state"), "socket": str(directory / "agent.sock")},
                                **(config or {}))
        return self.relay

    def applied(self, count):
        self.assertTrue(self.sim.wait(lambda: len(self.sim.journal) >= count, PATIENCE),
                        f"{len(self.sim.journal)} of {count} applied: {self.relay.status()}")
        return self.sim.journal

    def all_well(self, delivered):
        self.relay.wait_destination("central", lambda d: d["delivered"] == delivered and d["state"] == "ok")

    def submissions(self):
        return [r for r in list(self.sim.requests) if r.method == "POST" and r.path in ("/rest/detail", "/rest/status")]
