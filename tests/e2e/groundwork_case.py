"""An agent with one GroundWork destination in front of the simulator."""

import json

from simulators.groundwork import GroundWork

from .harness import PATIENCE, Case, result


def groundwork_destination(sim, name="central", **options):
    """A GroundWork destination that is quick to try again, unless said otherwise."""
    return {"name": name, "type": "groundwork", "url": sim.url, "username": "relay", "password": "secret",
            "retry_min": "20ms", "retry_max": "200ms", "spread": "0s", **options}


class GroundWorkCase(Case):
    def simulator(self, **knobs):
        self.sim = GroundWork()
        for name, value in knobs.items():
            setattr(self.sim, name, value)
        self.sim.start()
        self.addCleanup(self.sim.stop)
        return self.sim

    def central(self, knobs=None, config=None, **options):
        """An agent with one GroundWork destination, `central`."""
        sim = self.simulator(**(knobs or {}))
        self.relay = self.agent(destinations=[groundwork_destination(sim, **options)], **(config or {}))
        return self.relay

    def with_backlog(self, results, knobs=None, **options):
        """As central(), with results that all wait when the server comes up."""
        agent = self.central(knobs, **options)
        self.sim.stop()
        self.accept(agent, *results)
        return agent

    def applied(self, count):
        self.assertTrue(self.sim.wait(lambda: len(self.sim.journal) >= count, PATIENCE),
                        f"{len(self.sim.journal)} of {count} applied: {self.relay.status()}")
        return self.sim.journal

    def all_well(self, delivered, dead=0):
        return self.relay.wait_destination("central", lambda d: d["delivered"] == delivered and d["dead"] == dead
                                           and d["state"] == "ok")

    def warm(self):
        """Logs the agent in, so that what fails next is no login."""
        self.accept(self.relay, result(0, host="warm"))
        self.all_well(1)

    def items(self, request):
        (items,) = json.loads(request.body).values()
        return items


def many(count, **more):
    return [result(n, host=f"h{n}", **more) for n in range(count)]
