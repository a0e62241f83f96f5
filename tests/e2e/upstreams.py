"""The kinds of destination that speak HTTP, each in front of its simulator, so that one case tells of all of them."""

from simulators.groundwork import GroundWork
from simulators.op5 import Op5
from simulators.opsview import Opsview

from .harness import PATIENCE, Case, result

PASSWORD = "s3cr3t-w0rd"


class UpstreamCase(Case):
    """An agent with a destination `central`, quick to try again unless said otherwise, and its simulator `sim`."""

    SUBMIT = ""        # what a request that submits service results begins with
    LOGIN = ""         # a request that logs in; empty where there is none
    TYPE = ""
    USER = "relay"
    UNADDRESSABLE = ()  # names that this system cannot be asked about
    OPTIONS = {}

    def simulator(self, **options):
        raise NotImplementedError

    def token(self):
        """A secret that the server gave; empty where it gives none."""
        return ""

    def unknown(self, *names):
        """From now on the server knows nothing of these services of db1; others there are."""
        raise NotImplementedError

    def start_simulator(self, **options):
        self.sim = self.simulator(**options)
        self.sim.users = {self.USER: PASSWORD}
        self.sim.start()
        self.addCleanup(self.sim.stop)
        return self.sim

    def destination_of(self, sim, name="central", **options):
        return {"name": name, "type": self.TYPE, "url": sim.url, "username": self.USER, "password": PASSWORD,
                "backlog": "all", "rate": 0, "retry_min": "20ms", "retry_max": "200ms", "spread": "0s",
                **self.OPTIONS, **options}

    def central(self, sim=None, config=None, **options):
        sim = sim or self.start_simulator()
        self.relay = self.agent(destinations=[self.destination_of(sim, **options)], **(config or {}))
        return self.relay

    def all_well(self, delivered, dead=0):
        return self.relay.wait_destination("central", lambda d: d["delivered"] == delivered and d["dead"] == dead
                                           and d["state"] == "ok")

    def warm(self, *subjects):
        """Delivers one result to each service, so that what is asked next is their submission alone."""
        subjects = subjects or (("db1", "Backup"),)
        self.accept(self.relay, *(result(0, host, service) for host, service in subjects))
        self.all_well(len(subjects))
        return self.relay

    def aimed(self, prefix=None):
        """Faults from now on meet the submissions alone, or the requests that begin with `prefix`."""
        self.sim.faults.set(aim=prefix or self.SUBMIT)
        return self.sim.faults

    def arrived(self, service="Backup"):
        return self.sim.outputs("db1", service)

    def submissions(self):
        return [r for r in list(self.sim.requests) if f"{r.method} {r.path}".startswith(self.SUBMIT)]

    def asked(self, count):
        self.assertTrue(self.sim.wait(lambda: len(self.submissions()) >= count, PATIENCE),
                        f"{len(self.submissions())} of {count} submissions: {self.relay.status()}")
        return self.submissions()


class ToOp5(UpstreamCase):
    TYPE, SUBMIT = "op5", "POST /api/command/PROCESS_SERVICE_CHECK_RESULT"
    UNADDRESSABLE = ("a;b", "blank at the end ")

    def simulator(self, **options):
        return Op5(**options)

    def unknown(self, *names):
        self.sim.objects = {("db1", name) for name in ("Backup", *(f"s{n}" for n in range(50)))} - {
            ("db1", name) for name in names}


class ToGroundWork(UpstreamCase):
    TYPE, SUBMIT, LOGIN = "groundwork", "POST /api/services", "POST /api/auth/login"

    def simulator(self, **options):
        return GroundWork(**options)

    def token(self):
        return next(iter(self.sim.tokens))

    def unknown(self, *names):
        for name in names:
            self.sim.own("db1", name)


class ToOpsview(UpstreamCase):
    TYPE, SUBMIT, LOGIN = "opsview", "POST /rest/detail", "POST /rest/login"
    UNADDRESSABLE = ("100%", "%41")

    def simulator(self, **options):
        return Opsview(**options)

    def token(self):
        return next(iter(self.sim.sessions))

    unknown = ToOp5.unknown


class ToOpsviewStatus(ToOpsview):
    SUBMIT, OPTIONS = "POST /rest/status", {"submit": "status"}
