"""`checkrelay queue pause` and `queue resume`: a destination rests, nothing is lost, everybody is told."""

import json
import os
import pathlib
import subprocess

from .harness import BINARY, PATIENCE, Case, result, run, wait_until
from .op5_case import Op5Case
from .test_carry import open_bundle


class Pause(Case):
    def setUp(self):
        super().setUp()
        self.relay = self.agent(destinations=[self.file_destination("out"), self.file_destination("other")])

    def order(self, verb, name="out", code=0):
        done = self.relay.cli("queue", verb, name)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def is_paused(self):
        return self.relay.destination("out")["state"] == "paused"

    def test_a_paused_destination_takes_its_backlog_and_the_other_goes_on(self):
        self.assertIn("out is paused since 2", self.order("pause"))
        self.assertIn("out was paused since 2", self.order("pause"))
        self.accept(self.relay, *(result(n) for n in range(50)))
        self.wait_delivered(50, "other")
        status = self.relay.destination("out")
        self.assertEqual((status["state"], status["pending"], status["in_flight"]), ("paused", 50, 0))
        self.assertRegex(status["paused_since"], r"^2\d{3}-\d\d-\d\dT")
        self.assertEqual(self.delivered(), [])
        self.assertIn("out goes on", self.order("resume"))
        self.wait_delivered(50)
        self.assertEqual(self.outputs(), [f"n={n}" for n in range(50)])
        self.assertIn("out was not paused", self.order("resume"))

    def test_everybody_is_told(self):
        self.order("pause")
        since = self.relay.destination("out")["paused_since"]
        done = self.relay.cli("status")
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"out: paused by the operator since {since}", done.stdout)
        metrics = self.relay.http("GET", "/metrics").body.decode()
        self.assertIn('checkrelay_destination_paused{destination="out"} 1', metrics)
        self.assertIn('checkrelay_destination_paused{destination="other"} 0', metrics)
        self.assertIn('checkrelay_destination_state{destination="out",state="paused"} 1', metrics)
        for running in (True, False):
            if not running:
                self.relay.stop()
            done = run("doctor", "--json", "--config", self.relay.file)
            self.assertEqual(done.returncode, 1)
            found = [f for f in json.loads(done.stdout)["findings"] if f["about"] == "destination out"]
            if not running:
                done = run("queue", "list", "--config", self.relay.file)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn(f'destination "out" is paused since {since}', done.stderr)
                self.assertNotIn('"other"', done.stderr)
                done = run("status", "--config", self.relay.file)
                self.assertEqual(done.returncode, 3)
                self.assertIn(f'destination "out" is paused since {since}', done.stderr)
            pauses = [f for f in found if f["what"].startswith("paused by the operator since 2")]
            self.assertEqual([f["kind"] for f in pauses], ["fault"], found)
            self.assertIn("queue resume out", pauses[0]["advice"])

    def test_it_outlives_a_kill_a_restart_and_a_reload(self):
        self.order("pause")
        since = self.relay.destination("out")["paused_since"]
        self.accept(self.relay, result(1))
        self.relay.kill()
        self.relay.start()
        self.assertTrue(self.is_paused())
        self.relay.restart()
        self.assertTrue(self.is_paused())
        self.relay.write(self.config(destinations=[self.file_destination("out", rate=1000),
                                                   self.file_destination("third")]))
        self.relay.reload()
        wait_until(lambda: len(self.relay.status()["destinations"]) == 2 and
                   self.relay.status()["destinations"][1]["name"] == "third", "the reload")
        self.accept(self.relay, result(2))
        self.wait_delivered(1, "third")
        self.assertEqual(self.relay.destination("out")["paused_since"], since)
        self.assertEqual(self.delivered(), [])
        self.order("resume")
        self.wait_delivered(2)
        self.assertEqual(self.outputs(), ["n=1", "n=2"])
        self.relay.restart()
        self.assertFalse(self.is_paused())

    def test_what_is_not_there_and_who_may_not(self):
        self.assertIn('no destination "otter"; did you mean "other"?', self.order("pause", "otter", code=1))
        self.assertIn('no destination "nowhere"; there are "out", "other"', self.order("resume", "nowhere", code=1))
        if os.geteuid() == 0:
            os.chmod(self.path("agent.sock"), 0o666)
            done = self.relay.cli("queue", "pause", "out", user=65534)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn("open to root", done.stderr)
            self.assertFalse(self.is_paused())
        self.relay.stop()
        self.assertIn("only an agent that runs", run("queue", "pause", "out", "--config", self.relay.file).stderr)


class PauseUnderWay(Op5Case):
    def setUp(self):
        super().setUp()
        self.central(max_in_flight=3)
        self.sim.hold()
        self.accept(self.relay, *(result(n, service=f"S{n}") for n in range(8)))
        wait_until(lambda: len(self.sim.requests) == 3, "three requests")

    def test_what_is_under_way_ends_and_nothing_new_begins(self):
        relay = self.relay
        self.assertIn("3 results are still under way", relay.cli("queue", "pause", "central").stdout)
        self.sim.release()
        status = relay.wait_destination("central", lambda d: d["in_flight"] == 0)
        self.assertEqual((status["state"], status["delivered"], status["pending"]), ("paused", 3, 5))
        relay.restart()
        relay.cli("queue", "resume", "central")
        self.all_well(8)
        self.assertEqual(sorted(len(self.sim.outputs("db1", f"S{n}")) for n in range(8)), [1] * 8)

    def test_release_leaves_each_result_either_delivered_or_in_the_file(self):
        relay = self.relay
        relay.cli("queue", "pause", "central")
        told = pathlib.Path(self.path("told"))
        with open(told, "wb") as stderr:
            export = subprocess.Popen([BINARY, "queue", "export", self.path("r.crb"), "--release", "--destination",
                                       "central", "--config", relay.file], stdout=subprocess.PIPE, stderr=stderr)
        with export:
            wait_until(lambda: "waiting for 3 results under way" in told.read_text(), "the export to wait")
            self.sim.release()
            said = export.communicate(timeout=PATIENCE)[0].decode()
        self.assertEqual(export.returncode, 0, told.read_text())
        self.assertIn("5 deliveries are given up", said)
        status = relay.destination("central")
        self.assertEqual((status["delivered"], status["expired"], status["pending"], status["in_flight"]),
                         (3, 5, 0, 0))
        seqs = [seq for seq, _ in open_bundle(pathlib.Path(self.path("r.crb")).read_bytes())]
        self.assertEqual(seqs, [4, 5, 6, 7, 8])
        relay.cli("queue", "resume", "central")
        self.accept(relay, result(9, service="S9"))
        self.applied(4)
        self.assertEqual(len(self.sim.requests), 4)
