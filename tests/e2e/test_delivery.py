"""From the journal to the destinations: outages, order, several destinations, routes, the queue."""

import datetime
import json

from simulators.op5 import Op5

from .harness import Case, result


class DeliveryCase(Case):
    def simulator(self):
        sim = Op5().start()
        self.addCleanup(sim.stop)
        return sim


class Outage(DeliveryCase):
    def test_everything_arrives_in_order_after_the_upstream_was_down(self):
        sim = self.simulator()
        sim.stop()
        agent = self.agent(destinations=[self.op5_destination(sim, backlog="all")])
        self.accept(agent, *(result(n, service=f"s{n % 5}") for n in range(100)))
        status = agent.wait_destination("central", lambda d: d["state"] == "backoff")
        self.assertEqual((status["pending"] + status["in_flight"], status["delivered"]), (100, 0))
        self.assertTrue(status["last_error"])
        sim.start()
        agent.wait_destination("central", lambda d: d["delivered"] == 100)
        for s in range(5):
            self.assertEqual(sim.outputs("db1", f"s{s}"), [f"n={n}" for n in range(s, 100, 5)])

    def test_what_was_pending_when_the_agent_stopped_is_delivered_by_the_next(self):
        sim = self.simulator()
        sim.stop()
        agent = self.agent(destinations=[self.op5_destination(sim, backlog="all")])
        self.accept(agent, *(result(n) for n in range(10)))
        agent.restart()
        self.assertEqual(agent.status()["journal"]["pending"], 10)
        agent.kill()
        sim.start()
        agent.start()
        agent.wait_destination("central", lambda d: d["delivered"] == 10)
        self.assertEqual(sim.outputs("db1", "Backup"), [f"n={n}" for n in range(10)])

    def test_flapping_upstream_gets_each_subject_in_order(self):
        sim = self.simulator()
        agent = self.agent(destinations=[self.op5_destination(sim, backlog="all", max_in_flight=4, retry_max="50ms")])
        sim.faults.fail_next(5, 503)
        for n in range(0, 60, 20):
            self.accept(agent, *(result(m, service=f"s{m % 4}") for m in range(n, n + 20)))
            sim.faults.fail_next(3, 500, "broken", "text/plain")
            sim.faults.set(drop_before_apply=2)
            sim.restart()
        agent.wait_destination("central", lambda d: d["delivered"] == 60)
        for s in range(4):
            self.assertEqual(sim.outputs("db1", f"s{s}"), [f"n={n}" for n in range(s, 60, 4)])

    def test_a_name_that_does_not_resolve_is_an_outage_like_any_other(self):
        destination = {"name": "central", "type": "op5", "url": "http://no-such-host.invalid", "username": "u",
                       "password": "p",
                       "retry_min": "20ms", "retry_max": "50ms", "rate": 0}
        agent = self.agent(destinations=[destination, self.file_destination()])
        self.accept(agent, result(1))
        self.wait_delivered(1)
        status = agent.wait_destination("central", lambda d: d["retries"] >= 1)
        self.assertEqual((status["pending"] + status["in_flight"], status["dead"]), (1, 0))
        self.assertIn("no-such-host.invalid", status["last_error"])


class SeveralDestinations(DeliveryCase):
    def test_a_dead_destination_delays_no_other(self):
        stalled, down, good = self.simulator(), self.simulator(), self.simulator()
        stalled.faults.set(stall_headers=-1)
        down.stop()
        agent = self.agent(destinations=[self.op5_destination(stalled, "stalled", timeout="60s"),
                                         self.op5_destination(down, "down"),
                                         self.op5_destination(good, "good", backlog="all"), self.file_destination()])
        self.accept(agent, *(result(n, service=f"s{n}") for n in range(50)))
        self.wait_delivered(50)
        agent.wait_destination("good", lambda d: d["delivered"] == 50)
        self.assertEqual(agent.destination("stalled")["delivered"], 0)
        self.assertEqual(agent.destination("down")["delivered"], 0)

    def test_each_backlog_policy_is_the_destinations_own(self):
        sim = self.simulator()
        sim.stop()
        agent = self.agent(destinations=[self.op5_destination(sim, "latest", backlog="latest"),
                                         self.op5_destination(sim, "all", backlog="all")])
        self.accept(agent, *(result(n) for n in range(20)))
        sim.start()
        agent.wait_idle()
        everything, latest = agent.destination("all"), agent.destination("latest")
        self.assertEqual((everything["delivered"], everything["superseded"]), (20, 0))
        self.assertEqual(latest["delivered"] + latest["superseded"], 20)
        self.assertLessEqual(latest["delivered"], 2)

    def test_changes_keeps_each_change_and_the_newest(self):
        out = self.file_destination(path=self.path("later/out.jsonl"), backlog="changes")
        agent = self.agent(destinations=[out])
        states = [0, 0, 0, 2, 2, 1, 1, 1, 0, 0]
        self.accept(agent, *(result(n, service=s, state=state) for n, state in enumerate(states[:6]) for s in "ab"))
        agent.wait_destination("out", lambda d: d["pending"] + d["in_flight"] == 6)
        agent.restart()
        self.accept(agent, *(result(n, service=s, state=state) for n, state in enumerate(states) if n > 5 for s in "ab"))
        agent.wait_destination("out", lambda d: d["pending"] + d["in_flight"] == 10)
        (self.directory / "later").mkdir()
        agent.wait_idle()
        lines = [json.loads(line) for line in (self.directory / "later" / "out.jsonl").read_text().splitlines()]
        for service in "ab":
            self.assertEqual([line["output"] for line in lines if line["service"] == service],
                             ["n=0", "n=3", "n=5", "n=8", "n=9"])
        status = agent.destination("out")
        self.assertEqual((status["delivered"], status["superseded"], status["expired"]), (10, 10, 0))

    def test_fresh_results_go_before_the_backlog_where_the_destination_asks_for_it(self):
        names = {"old": "in_order", "new": "fresh_first"}
        agent = self.agent(destinations=[
            self.file_destination(name, path=self.path(f"later/{name}.jsonl"), drain=drain, batch_max=1, max_in_flight=1)
            for name, drain in names.items()])
        self.accept(agent, *(result(n, service=f"s{n}") for n in range(100)))
        agent.restart()
        self.accept(agent, result(100, service="fresh"), result(101, service="fresh"))
        (self.directory / "later").mkdir()
        agent.wait_idle()
        order = {}
        for name in names:
            lines = [json.loads(line) for line in (self.directory / "later" / f"{name}.jsonl").read_text().splitlines()]
            order[name] = [int(line["output"].removeprefix("n=")) for line in lines]
            self.assertEqual(sorted(order[name]), list(range(102)))
        self.assertEqual(order["old"], list(range(102)))
        place = {n: at for at, n in enumerate(order["new"])}
        self.assertLess(place[100], place[101], "in order within a subject")
        self.assertLess(place[101], place[50])
        self.assertLess(place[99], place[50])
        self.assertLess(place[5], place[50], "the oldest have their share")

    def test_discard_takes_everything(self):
        agent = self.agent(destinations=[{"name": "nowhere", "type": "discard"}])
        self.accept(agent, *(result(n) for n in range(50)))
        agent.wait_destination("nowhere", lambda d: d["delivered"] == 50)

    def test_a_destination_added_later_gets_what_comes_from_then_on(self):
        agent = self.agent()
        self.accept(agent, result(1))
        self.wait_delivered(1)
        agent.write(self.config(destinations=[self.file_destination(), self.file_destination("second")]))
        agent.restart()
        self.accept(agent, result(2))
        self.wait_delivered(2)
        self.wait_delivered(1, "second")
        self.assertEqual(self.outputs("second"), ["n=2"])


class Routes(DeliveryCase):
    def test_routes_go_by_host_and_service_and_what_none_takes_is_not_lost_silently(self):
        routes = [{"host": "db*", "destinations": ["a"]}, {"host": "*", "service": "HTTP*", "destinations": ["b"]},
                  {"host": "db2", "service": "*", "destinations": ["b"]}]
        agent = self.agent(destinations=[self.file_destination("a"), self.file_destination("b")], route=routes)
        subjects = [("db1", "Backup"), ("web1", "HTTP 80"), ("db2", "Backup"), ("db1", "HTTP"), ("db1", "")]
        self.accept(agent, *({"host": h, "service": s, "state": 0, "output": f"{h}/{s}"} for h, s in subjects))
        self.wait_delivered(4, "a")
        self.wait_delivered(3, "b")
        self.assertEqual(self.outputs("a"), ["db1/Backup", "db2/Backup", "db1/HTTP", "db1/"])
        self.assertEqual(self.outputs("b"), ["web1/HTTP 80", "db2/Backup", "db1/HTTP"])
        reply = self.send_json(agent, {"host": "other", "service": "x", "state": 0, "output": "to nobody"})[0]
        if not reply["ok"]:
            self.assertIn("route", reply["error"])
        else:
            self.assertEqual(agent.cli("queue", "show", reply["id"]).returncode, 0)


class FileDestination(DeliveryCase):
    def test_line_has_every_key_of_a_result(self):
        agent = self.agent()
        self.accept(agent,
                    {"host": "db1", "service": "Backup", "state": 1, "output": "two\nlines \"quoted\" å",
                     "perfdata": "a=1;2;3",
                            "time": 1700000000.25, "id": "run-1", "ttl": "26h", "check_source": "cron"})
        row = self.wait_delivered(1)[0]
        expected = {"host": "db1", "service": "Backup", "state": 1, "output": "two\nlines \"quoted\" å",
                    "perfdata": "a=1;2;3",
                    "id": "run-1", "check_source": "cron", "destination": "out"}
        self.assertEqual({k: row[k] for k in expected}, expected)
        self.assertAlmostEqual(_epoch(row["time"]), 1700000000.25, places=3)
        self.assertGreater(_epoch(row["received"]), 1700000000)
        self.assertIn(row["ttl"], (93600, "26h", 93600.0))

    def test_line_can_be_handed_in_again_elsewhere(self):
        agent = self.agent()
        self.accept(agent, result(1, perfdata="a=1"))
        row = self.wait_delivered(1)[0]
        again = {k: v for k, v in row.items() if k not in ("received", "destination")}
        self.assertEqual(self.send_json(agent, again), [{"ok": True, "id": row["id"]}])

    def test_a_path_that_cannot_be_written_is_tried_again(self):
        agent = self.agent(destinations=[self.file_destination("out", path=self.path("later/out.jsonl"))])
        self.accept(agent, result(1))
        status = agent.wait_destination("out", lambda d: d["last_error"])
        self.assertEqual((status["pending"] + status["in_flight"], status["dead"]), (1, 0))
        (self.directory / "later").mkdir()
        agent.wait_destination("out", lambda d: d["delivered"] == 1)


class Queue(DeliveryCase):
    def test_list_filters_and_show_tells_the_story(self):
        sim = self.simulator()
        sim.stop()
        agent = self.agent(destinations=[self.file_destination(), self.op5_destination(sim, backlog="all")])
        ids = self.accept(agent, result(1), result(2, host="web1", service="HTTP", state=2))
        self.wait_delivered(2)
        agent.wait_destination("central", lambda d: d["retries"] >= 1)
        listed = agent.cli("queue", "list", "--destination", "central", "--state", "pending")
        self.assertEqual(listed.returncode, 0, listed.stderr)
        self.assertTrue("Backup" in listed.stdout and "HTTP" in listed.stdout, listed.stdout)
        narrowed = agent.cli("queue", "list", "--host", "web1").stdout
        self.assertTrue("HTTP" in narrowed and "Backup" not in narrowed, narrowed)
        number = narrowed.splitlines()[-1].split()[0]
        self.assertIn(ids[1], agent.cli("queue", "show", number).stdout)
        story = agent.cli("queue", "show", ids[0]).stdout
        for word in ("out", "central", "delivered", "pending", "Backup", "n=1"):
            self.assertIn(word, story)
        sim.start()
        agent.wait_destination("central", lambda d: d["delivered"] == 2)
        self.assertIn("Successfully submitted", agent.cli("queue", "show", ids[0]).stdout)

    def test_unknown_id_exits_1(self):
        agent = self.agent()
        done = agent.cli("queue", "show", "no-such-id")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no-such-id", done.stderr)


def _epoch(value):
    if isinstance(value, (int, float)):
        return value
    return datetime.datetime.fromisoformat(value.replace("Z", "+00:00")).timestamp()
