"""How fast results leave: on a thin line, and after an outage."""

import time

from .harness import result, wait_until
from .op5_case import Op5Case


class Bandwidth(Op5Case):
    def test_a_thin_line_keeps_room(self):
        relay = self.central(max_in_flight=4, bandwidth="4KiB")
        began = time.monotonic()
        self.accept(relay, *(result(n, service=f"S{n}", output=f"n={n} " + "x" * 1000) for n in range(14)))
        self.applied(14)
        elapsed = time.monotonic() - began
        bodies = sum(len(r.body) for r in self.sim.requests[:-1])
        self.assertGreater(bodies, 13000)
        self.assertGreaterEqual(elapsed, (bodies - 4096 - 1100) / 4096)
        self.all_well(14)


class Return(Op5Case):
    def test_after_an_outage_the_load_rises(self):
        relay = self.central(spread="4s")
        self.sim.faults.set(latency_ms=20)
        self.sim.stop()
        self.accept(relay, *(result(n, service=f"S{n}") for n in range(100)))
        relay.wait_destination("central", lambda d: d["state"] == "backoff")
        down = time.monotonic()
        wait_until(lambda: time.monotonic() - down > 5.5, "the outage to be one")
        self.sim.start()
        self.applied(1)
        began = time.monotonic()
        self.applied(100)
        # Two seconds of conversations at full load take the whole four.
        self.assertGreater(time.monotonic() - began, 3)
        self.all_well(100)
