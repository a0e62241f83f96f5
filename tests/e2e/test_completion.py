"""What bash completes by asking the agent."""

import pathlib
import subprocess

from . import harness
from .groundwork_case import GroundWorkCase, many
from .harness import wait_until

COMPLETION = pathlib.Path(__file__).parents[2] / "contrib/completions/checkrelay.bash"
SCRIPT = """_checkrelay_seconds=$1; source "$2"; shift 2
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_checkrelay
printf '%s\\n' "${COMPREPLY[@]}"
"""


class HostCompletion(GroundWorkCase):
    def setUp(self):
        super().setUp()
        self.cache = pathlib.Path(self.directory) / "cache"
        self.limit = harness.PATIENCE
        agent = self.central()
        self.accept(agent, *many(3, service=""))
        self.all_well(3)

    def complete(self, *words, status=0):
        """What is offered for the last word of a command line."""
        done = subprocess.run(["bash", "-c", SCRIPT, "bash", str(self.limit), COMPLETION, harness.BINARY, *words],
                              env={"PATH": "/usr/bin:/bin", "XDG_CACHE_HOME": str(self.cache)},
                              capture_output=True, text=True, timeout=2 * harness.PATIENCE)
        self.assertEqual((done.returncode, done.stderr), (status, ""))
        return done.stdout.split()

    def hosts(self, prefix=""):
        return self.complete("-C", self.relay.socket, "send", "-H", prefix)

    def asked(self):
        return sum("/autocomplete/" in r.path for r in list(self.sim.requests))

    def age(self, seconds):
        """Makes the cache so much older."""
        file = self.cache / "checkrelay/hosts"
        first, *names = file.read_text().splitlines(keepends=True)
        stamp, key = first.split("\t")
        file.write_text(f"{int(stamp) - seconds}\t{key}" + "".join(names))

    def test_hosts_are_completed_in_every_place_of_the_option(self):
        self.assertEqual(self.hosts(), ["h0", "h1", "h2"])
        self.assertEqual(self.hosts("H1"), ["h1"])
        self.assertEqual(self.hosts("x"), [])
        socket = self.relay.socket
        self.assertEqual(self.complete("send", "-C", socket, "--host", "h2"), ["h2"])
        self.assertEqual(self.complete("send", "-C", socket, "-m", "fine", "--host", "="), ["h0", "h1", "h2"])
        self.assertEqual(self.complete("send", "-C", socket, "--host", "=", "h0"), ["h0"])

    def test_they_are_asked_for_once_in_five_minutes(self):
        for prefix in ("", "h", "h1"):
            self.hosts(prefix)
        self.assertEqual(self.asked(), 1)
        self.sim.own("late")
        self.age(240)
        self.assertNotIn("late", self.hosts())
        self.age(120)
        self.assertIn("late", self.hosts())
        self.assertEqual(self.asked(), 2)

    def test_a_server_that_hangs_is_asked_once_and_known_names_stay(self):
        self.hosts()
        self.age(3600)
        self.limit = 0.2
        self.sim.faults.set(stall_headers=-1)
        self.assertEqual(self.hosts(), ["h0", "h1", "h2"])
        asked = self.asked()
        self.assertEqual(self.hosts(), ["h0", "h1", "h2"])
        self.assertEqual(self.asked(), asked)

    def test_names_are_quoted_and_never_run(self):
        trap = pathlib.Path(self.directory) / "trap"
        for name in (f"$(touch {trap})", f"`touch {trap}`", f"a;touch {trap}", "two words", "it's"):
            self.sim.own(name)
        offered = self.hosts()
        self.assertIn(r"it\'s", offered)
        line = "COMPREPLY=(); printf '%s\\n' " + " ".join(offered)
        shown = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True).stdout
        self.assertIn(f"$(touch {trap})\n", shown)
        self.assertFalse(trap.exists())

    def test_more_hosts_than_are_told_at_once_are_asked_for_by_what_is_typed(self):
        for n in range(1500):
            self.sim.own(f"web{n:04}")
        self.assertEqual(self.hosts("web1499"), ["web1499"])

    def test_an_agent_or_a_cache_that_is_not_there_is_silence(self):
        self.assertEqual(self.complete("-C", self.directory / "nothing", "send", "-H", ""), [])
        self.cache.mkdir(exist_ok=True)
        (self.cache / "checkrelay/hosts").write_bytes(b"\xff\0garbage\n\n")
        self.assertEqual(self.hosts(), ["h0", "h1", "h2"])
        self.cache = pathlib.Path("/proc/none")
        self.hosts()

    def test_without_a_groundwork_destination_nothing_is_asked(self):
        self.relay.write(self.config())
        self.relay.reload()
        wait_until(lambda: self.relay.status()["destinations"][0]["type"] == "file", "the reload")
        self.assertEqual(self.hosts(), [])
        self.assertEqual(self.asked(), 0)
