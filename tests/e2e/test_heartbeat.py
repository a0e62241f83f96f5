"""The agent's own service: at every kind of upstream, ahead of a backlog, and where it matters, in trouble."""

from . import upstreams
from .harness import PATIENCE, Case, free_port, result, wait_until
from .op5_case import Op5Case

SERVICE = "checkrelay"
NEVER = "365d"  # by its grid; and once, at the start
PERFDATA = ("pending", "oldest_pending", "dead", "ingest_rate", "delivery_rate", "journal_bytes")


def beats(rows):
    return [row for row in rows if row.service == SERVICE]


class Arrives:
    """Of each kind of upstream."""

    def heard(self):
        return self.sim.outputs("edge1", SERVICE)

    def test_it_arrives_again_and_again_and_is_nothing_of_the_journals(self):
        relay = self.central(config={"heartbeat": {"every": "200ms"}})
        self.assertTrue(self.sim.wait(lambda: len(self.heard()) >= 3, PATIENCE), relay.status())
        self.assertIn("checkrelay OK: 0 pending, 0 dead, ", str(self.heard()[0]))
        self.accept(relay, result(1))
        self.assertTrue(self.sim.wait(lambda: self.arrived(), PATIENCE), relay.status())
        status = self.all_well(1)
        self.assertGreaterEqual(status["heartbeat"]["sent"], 3)
        self.assertEqual((status["heartbeat"]["refused"], status["superseded"], status["retries"]), (0, 0, 0))
        self.assertIs(status["heartbeat"]["taken"], True)

    def test_after_an_outage_one_goes_ahead_of_twenty_thousand_results(self):
        sim = self.start_simulator()
        sim.stop()
        relay = self.central(sim, config={"heartbeat": {"every": "200ms"}}, spread="30s")
        for part in range(20):
            self.accept(relay, *(result(n, service=f"s{part}-{n}") for n in range(1000)))
        relay.wait_destination("central", lambda d: d["heartbeat"]["superseded"] >= 3)
        relay.write({**relay.config, "heartbeat": {"every": NEVER}})
        relay.reload()
        wait_until(lambda: "configuration reloaded" in relay.stderr(), "the reload")
        sim.start()
        relay.wait_destination("central", lambda d: d["heartbeat"]["sent"] == 1)
        rows = list(sim.journal)
        first = next(i for i, row in enumerate(rows) if row.service == SERVICE)
        # Nothing is ahead of it but the conversation that found the upstream well.
        self.assertLessEqual(first, self.BATCH, [row.service for row in rows[:5]])
        self.assertIn("pending", str(self.heard()[0]))
        self.assertTrue(sim.wait(lambda: len(sim.journal) >= 20, PATIENCE), relay.status())
        self.assertEqual(len(beats(sim.journal)), 1)

    def test_where_it_is_refused_results_go_on(self):
        sim = self.start_simulator()
        self.refuse(sim)
        relay = self.central(sim, config={"heartbeat": {"every": "100ms"}})
        relay.wait_destination("central", lambda d: d["heartbeat"]["refused"] >= 2)
        self.accept(relay, result(1))
        status = self.all_well(1)
        self.assertEqual((status["heartbeat"]["sent"], status["heartbeat"]["taken"]), (0, False))

    def refuse(self, sim):
        sim.objects = {("db1", "Backup")}


class HeartbeatToOp5(Arrives, upstreams.ToOp5):
    BATCH = 1


class HeartbeatToGroundWork(Arrives, upstreams.ToGroundWork):
    BATCH = 500

    def refuse(self, sim):
        sim.own("edge1", SERVICE)


class HeartbeatToOpsview(Arrives, upstreams.ToOpsview):
    BATCH = 4


class UnknownService(Op5Case):
    def test_it_is_told_once_and_disturbs_nothing(self):
        relay = self.central(objects={("db1", "Backup")}, config={"heartbeat": {"every": "100ms"}})
        status = relay.wait_destination("central", lambda d: d["heartbeat"]["refused"] >= 3)
        self.assertIs(status["heartbeat"]["taken"], False)
        self.assertTrue(status["heartbeat"]["last_answer"])
        self.accept(relay, result(1))
        self.all_well(1)
        status = relay.status()
        self.assertEqual((status["journal"]["dead"], status["journal"]["pending"]), (0, 0))
        done = relay.cli("status")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("central: the heartbeat is refused: ", done.stdout)
        metrics = relay.http("GET", "/metrics").body.decode()
        self.assertRegex(metrics, r'checkrelay_heartbeats_total\{destination="central",outcome="refused"\} [3-9\d]')
        self.assertEqual(relay.stderr().count("the heartbeat is refused"), 1, relay.stderr())
        self.sim.know("edge1", SERVICE)
        relay.wait_destination("central", lambda d: d["heartbeat"]["taken"])
        self.assertEqual(relay.stderr().count("the heartbeat is taken again"), 1)
        self.assertNotIn("refused", relay.cli("status").stdout.split("central")[-1])


class Trouble(Case):
    """A destination that is away, and one that hears of it."""

    def beating(self, limits=None, **thresholds):
        away = {"name": "away", "type": "op5", "url": f"http://127.0.0.1:{free_port()}", "username": "u",
                "password": "p", "backlog": "all", "retry_min": "20ms", "retry_max": "100ms"}
        sections = {"limits": limits} if limits else {}
        self.relay = self.agent(destinations=[self.file_destination(), away], **sections,
                                route=[{"service": "*", "destinations": ["away"]}],
                                heartbeat={"every": "100ms", **thresholds})
        return self.relay

    def heard(self, condition):
        """The first heartbeat of which the condition is true."""
        return wait_until(lambda: next((row for row in self.delivered() if condition(row)), None), "a heartbeat")

    def test_thresholds_make_the_state_and_the_text_names_the_destination(self):
        relay = self.beating(warn_pending=3, crit_pending=6, warn_trouble="1h", crit_trouble="0s")
        well = self.heard(lambda row: row["state"] == 0)
        self.assertEqual((well["host"], well["service"], well["check_source"]), ("edge1", SERVICE, SERVICE))
        self.assertEqual([metric.split("=")[0] for metric in well["perfdata"].split()], list(PERFDATA))
        self.accept(relay, *(result(n, service=f"S{n}") for n in range(3)))
        row = self.heard(lambda row: row["state"] == 1)
        self.assertIn("pending=3;3;6;0 ", row["perfdata"])
        self.heard(lambda row: "destination away: backoff for " in row["output"])
        self.accept(relay, *(result(n, service=f"T{n}") for n in range(3)))
        row = self.heard(lambda row: row["state"] == 2)
        self.assertIn("checkrelay CRITICAL: many wait - ", row["output"])
        self.assertEqual(relay.destination("out")["delivered"], 0)  # of results

    def test_it_goes_out_while_the_journal_is_full(self):
        relay = self.beating(limits={"max_queue": "1MiB", "max_result": "64KiB"})

        def full():
            replies = self.send_json(relay, *(result(n, service=f"S{n}", output="x" * 30000) for n in range(20)))
            return any(not reply["ok"] for reply in replies)
        wait_until(full, "the journal to be full")
        row = self.heard(lambda row: "no results are taken: full" in row["output"])
        self.assertEqual(row["state"], 2)

    def test_a_reload_changes_it_and_takes_it_away(self):
        relay = self.beating(warn_trouble="0s", crit_trouble="0s")
        self.heard(lambda row: row["state"] == 0)
        relay.write({**relay.config, "heartbeat": {"every": "100ms", "service": "Relay", "warn_trouble": "1ms"}})
        relay.reload()
        self.heard(lambda row: row["service"] == "Relay")
        self.accept(relay, result(1))
        self.heard(lambda row: row["state"] == 1)
        relay.write({k: v for k, v in relay.config.items() if k != "heartbeat"})
        relay.reload()
        wait_until(lambda: "heartbeat" not in relay.destination("out"), "the reload")

    def test_discard_takes_it(self):
        relay = self.agent(destinations=[{"name": "nowhere", "type": "discard"}], heartbeat={"every": "100ms"})
        relay.wait_destination("nowhere", lambda d: d["heartbeat"]["sent"] >= 2)
