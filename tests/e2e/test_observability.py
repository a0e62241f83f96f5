"""What the agent says of itself: health, metrics, status, log."""

import http.client
import json
import re

from simulators.op5 import Op5

from . import wire
from .harness import Case, free_port, request, result, wait_until

ENDS = ("pending", "in_flight", "delivered", "superseded", "expired", "dead")


class Status(Case):
    def test_status_has_the_keys_that_scripts_rely_on(self):
        agent = self.agent()
        self.accept(agent, result(1))
        agent.wait_idle()
        status = agent.status()
        self.assertLessEqual({"version", "uptime_s", "journal", "intakes", "destinations", "freshness"}, set(status))
        self.assertLessEqual({"pending", "dead", "bytes", "oldest_pending_s"}, set(status["journal"]))
        self.assertEqual(status["freshness"], {"expected": 0, "overdue": 0, "in_outage": 0})
        intake, destination = status["intakes"][0], status["destinations"][0]
        self.assertEqual({k: intake[k] for k in ("type", "where", "accepted", "refused")},
                         {"type": "unix", "where": agent.socket, "accepted": 1, "refused": 0})
        self.assertEqual((destination["name"], destination["type"], destination["state"], destination["delivered"]),
                         ("out", "file", "ok", 1))
        self.assertLessEqual({*ENDS, "retries", "last_error", "next_attempt_s"}, set(destination))
        self.assertEqual((destination["last_error"], destination["next_attempt_s"]), (None, None))

    def test_every_accepted_result_is_in_exactly_one_place(self):
        sim = Op5(objects={("db1", f"s{n}") for n in range(8)}).start()
        self.addCleanup(sim.stop)
        agent = self.agent(destinations=[self.file_destination(),
                                         self.op5_destination(sim, unknown_object_retry="0s", max_age="1h")])
        count = 0
        for round_ in range(10):
            sim.faults.fail_next(2, 503)
            batch = [result(n, service=f"s{n}", **({"time": 1} if n == 7 else {})) for n in range(10)]
            self.accept(agent, *batch)
            count += len(batch)
            for d in agent.status()["destinations"]:
                self.assertEqual(sum(d[k] for k in ENDS), count, d)
        agent.wait_idle()
        agent.kill()
        agent.start()
        for d in agent.status()["destinations"]:  # what was settled and not yet synced waits once more
            self.assertEqual(sum(d[k] for k in ENDS), count, d)
        agent.wait_idle()
        central = agent.destination("central")
        self.assertEqual(sum(central[k] for k in ENDS), count, central)
        self.assertTrue(central["dead"] and central["expired"] and central["delivered"])
        self.assertEqual(agent.destination("out")["delivered"], count)

    def test_oldest_pending_is_told_in_seconds(self):
        sim = Op5().start()
        self.addCleanup(sim.stop)
        sim.stop()
        agent = self.agent(destinations=[self.op5_destination(sim)])
        self.accept(agent, result(1, time=1))
        oldest = wait_until(lambda: agent.status()["journal"]["oldest_pending_s"], "the age of what waits")
        self.assertTrue(0 < oldest < 60, oldest)


class Endpoints(Case):
    def test_health_readiness_and_metrics_on_every_http_door(self):
        port = free_port()
        agent = self.agent([{"type": "http", "listen": f"127.0.0.1:{port}", "dialects": ["native"]}])
        self.accept(agent, result(1))
        agent.wait_idle()
        for path in ("/healthz", "/readyz", "/metrics", "/v1/status"):
            over_tcp = request(http.client.HTTPConnection("127.0.0.1", port, timeout=30), "GET", path)
            self.assertEqual((agent.http("GET", path).status, over_tcp.status), (200, 200), path)
            self.assertEqual(agent.http("POST", path, b"").status, 405, path)

    def test_metrics_are_prometheus_text(self):
        agent = self.agent()
        self.accept(agent, result(1))
        agent.wait_idle()
        reply = agent.http("GET", "/metrics")
        self.assertTrue(reply.headers["content-type"].startswith("text/plain"))
        sample = re.compile(r'^[a-z_:][a-z0-9_:]*(\{([a-z_]+="([^"\\]|\\.)*",?)*\})? -?[0-9.e+]+$')
        lines = reply.body.decode().splitlines()
        for line in lines:
            self.assertTrue(line.startswith("# ") or sample.match(line), line)
        self.assertIn('checkrelay_delivered_total{destination="out"} 1', lines)
        names = [line.split()[2] for line in lines if line.startswith("# TYPE")]
        self.assertEqual(len(names), len(set(names)))


class Log(Case):
    def test_text_lines_are_key_value(self):
        agent = self.agent()
        self.assertFalse(self.send_json(agent, result(1, state=9))[0]["ok"])
        agent.stop()
        lines = agent.stderr().splitlines()
        self.assertTrue(lines)
        for line in lines:
            self.assertRegex(line, r"[a-z_]+=")

    def test_json_lines_are_json(self):
        agent = self.agent(log={"format": "json"})
        self.assertFalse(self.send_json(agent, result(1, state="a\"b\n"))[0]["ok"])
        agent.stop()
        lines = [json.loads(line) for line in agent.stderr().splitlines()]
        self.assertTrue(lines)
        self.assertTrue(any("refused" in json.dumps(line) for line in lines))

    def test_what_a_peer_can_cause_is_rate_limited(self):
        agent = self.agent()
        replies = wire.talk(agent.socket, b'{"host":"db1","state":9,"output":"x"}\n' * 20000)
        self.assertEqual(sum(1 for r in replies if r["ok"]), 0)
        self.assertEqual(agent.intake("unix")["refused"], 20000)
        self.assertLess(len(agent.stderr().splitlines()), 200)

    def test_control_characters_of_a_peer_do_not_reach_the_log(self):
        agent = self.agent()
        wire.talk(agent.socket, b'{"host":"db1\\u001b[31m","state":0,"output":"x"}\nx\x1b[2J\x07\r\n')
        wait_until(lambda: "refused" in agent.stderr(), "the refusal in the log")
        self.assertNotRegex(agent.stderr(), "[\x00-\x08\x0b-\x1f\x7f]")

    def test_a_failing_upstream_does_not_flood_the_log(self):
        sim = Op5().start()
        self.addCleanup(sim.stop)
        sim.faults.fail_next(-1, 500, "broken", "text/plain")
        agent = self.agent(destinations=[self.op5_destination(sim, retry_min="1ms", retry_max="2ms", backlog="all")])
        self.accept(agent, *(result(n, service=f"s{n}") for n in range(200)))
        sim.wait(lambda: len(sim.requests) > 300)
        self.assertLess(len(agent.stderr().splitlines()), 100)
        self.assertIn("broken", agent.stderr())
