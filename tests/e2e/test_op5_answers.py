"""What an OP5 server answers when it does not simply take a result, pitfall by pitfall."""

import time

from simulators.op5 import Op5

from .harness import PATIENCE, result
from .op5_case import Op5Case


class Op5Answers(Op5Case):
    """Answers that are no confirmation, and how sending goes on after them."""

    def recovers(self, agent, n=3):
        self.accept(agent, *(result(i) for i in range(n)))
        self.applied(n)
        self.all_well(n)
        self.assertEqual(self.sim.outputs("db1", "Backup"), [f"n={i}" for i in range(n)])

    def test_500_with_object_full_error_is_tried_again(self):
        agent = self.central()
        self.sim.fail_500_object(2)
        self.recovers(agent)
        self.assertGreaterEqual(agent.destination("central")["retries"], 2)

    def test_text_and_empty_bodies_on_errors_are_tried_again(self):
        agent = self.central()
        for status, body in ((500, "Internal Server Error"), (502, ""), (504, "<html>gateway timeout</html>"),
                             (429, "slow down")):
            self.sim.faults.fail_next(1, status, body, "text/plain")
        self.recovers(agent)

    def test_200_with_html_is_no_delivery(self):
        agent = self.central()
        self.sim.fail_html_200(-1)
        self.accept(agent, result(0))
        status = agent.wait_destination("central", lambda d: d["last_error"])
        self.assertNotEqual(status["state"], "ok")
        self.assertEqual((status["pending"] + status["in_flight"], status["delivered"], status["dead"]), (1, 0, 0))
        self.sim.faults.clear()
        self.applied(1)
        self.all_well(1)

    def test_200_with_an_empty_or_foreign_body_is_no_delivery(self):
        agent = self.central()
        for body in ("", "{}", "[]", '{"error":"no"}', "null"):
            self.sim.faults.fail_next(1, 200, body)
        self.recovers(agent, 1)
        self.assertEqual(len(self.sim.requests), 6)

    def test_404_html_on_the_base_path_is_a_matter_of_configuration(self):
        agent = self.central()
        self.sim.faults.fail_next(-1, 404, "<html>not found</html>", "text/html")
        self.accept(agent, result(0))
        status = agent.wait_destination("central", lambda d: d["state"] == "config")
        self.assertEqual(status["dead"], 0)
        self.sim.faults.clear()
        self.all_well(1)

    def test_405_is_a_matter_of_configuration(self):
        agent = self.central()
        self.sim.faults.fail_next(-1, 405, '{"error":"Method not allowed","full_error":""}')
        self.accept(agent, result(0))
        self.assertEqual(agent.wait_destination("central", lambda d: d["state"] == "config")["dead"], 0)

    def test_400_is_a_dead_letter_with_the_servers_words_and_stops_no_one(self):
        agent = self.central(unknown_object_retry="0s")
        self.sim.faults.fail_next(1, 400, '{"error":"Invalid parameters","full_error":"the moon is wrong"}')
        ids = self.accept(agent, result(0), result(1, service="Other"))
        agent.wait_destination("central", lambda d: d["dead"] == 1 and d["delivered"] == 1)
        shown = agent.cli("queue", "show", ids[0]).stdout + agent.cli("queue", "show", ids[1]).stdout
        self.assertIn("the moon is wrong", shown)

    def test_401_pauses_the_destination_and_is_not_hammered(self):
        agent = self.central(password="wrong", retry_max="60s")
        self.accept(agent, *(result(n, service=f"s{n}") for n in range(20)))
        status = agent.wait_destination("central", lambda d: d["state"] == "auth")
        self.assertEqual((status["pending"] + status["in_flight"], status["dead"]), (20, 0))
        self.assertEqual(len(self.sim.requests), 1)
        self.assertGreater(status["next_attempt_s"], 10)

    def test_credentials_that_become_right_are_found_by_themselves(self):
        agent = self.central(password="late")
        self.accept(agent, result(0))
        agent.wait_destination("central", lambda d: d["state"] == "auth")
        self.sim.users["status_update"] = "late"
        self.applied(1)
        self.all_well(1)

    def test_403_is_a_matter_of_rights(self):
        agent = self.central()
        self.sim.faults.fail_next(-1, 403, '{"error":"Forbidden","full_error":"no right"}')
        self.accept(agent, result(0))
        self.assertEqual(agent.wait_destination("central", lambda d: d["state"] == "auth")["dead"], 0)

    def test_redirect_is_not_followed_and_shows_nobody_the_password(self):
        agent = self.central()
        elsewhere = Op5().start()
        self.addCleanup(elsewhere.stop)
        for status in (301, 302, 307, 308):
            self.sim.fail_redirect(1, elsewhere.url + "/api/command/PROCESS_SERVICE_CHECK_RESULT", status)
        self.accept(agent, result(0))
        self.applied(1)
        self.assertEqual(len(self.sim.requests), 5)
        self.assertEqual(elsewhere.requests, [])
        self.assertEqual(elsewhere.connections, 0)

    def test_redirect_is_a_matter_of_configuration(self):
        agent = self.central()
        self.sim.fail_redirect(-1, "https://login.example.com/")
        self.accept(agent, result(0))
        self.assertEqual(agent.wait_destination("central", lambda d: d["state"] == "config")["dead"], 0)


class Op5Pace(Op5Case):
    def gaps(self, count=2):
        self.assertTrue(self.sim.wait(lambda: len(self.sim.requests) >= count, PATIENCE))
        times = [r.received for r in self.sim.requests]
        return [b - a for a, b in zip(times, times[1:])]

    def test_509_waits_at_least_six_seconds(self):
        agent = self.central()
        self.sim.fail_text_509()
        self.accept(agent, result(0))
        self.assertGreaterEqual(self.gaps()[0], 5.99)
        self.all_well(1)

    def test_503_with_retry_after_is_honoured_and_called_held(self):
        agent = self.central()
        self.sim.faults.fail_next(1, 503, "reload", "text/plain", [("Retry-After", "2")])
        self.accept(agent, result(0))
        agent.wait_destination("central", lambda d: d["state"] == "held")
        self.assertGreaterEqual(self.gaps()[0], 1.99)
        self.all_well(1)

    def test_429_with_retry_after_date_is_honoured(self):
        agent = self.central()
        date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 4))
        self.sim.faults.fail_next(1, 429, "", "text/plain", [("Retry-After", date)])
        self.accept(agent, result(0))
        self.assertGreaterEqual(self.gaps()[0], 1.9)
        self.all_well(1)

    def test_503_without_retry_after_backs_off_and_comes_back(self):
        agent = self.central(retry_min="50ms", retry_max="100ms")
        self.sim.faults.fail_next(4, 503, "busy", "text/plain")
        self.accept(agent, result(0))
        self.applied(1)
        self.assertEqual(len(self.sim.requests), 5)

    def test_pace_is_ten_a_second_and_one_at_a_time_while_others_run_free(self):
        self.sim = Op5().start()
        self.addCleanup(self.sim.stop)
        self.sim.faults.set(latency_ms=5)
        destination = self.op5_destination(self.sim, backlog="all")
        del destination["rate"]
        self.relay = self.agent(destinations=[self.file_destination(), destination])
        self.accept(self.relay, *(result(n, service=f"s{n}") for n in range(25)))
        self.wait_delivered(25)
        self.assertLess(len(self.sim.journal), 25)
        self.applied(25)
        times = [r.received for r in self.sim.requests]
        self.assertGreaterEqual(times[-1] - times[0], 2.3)
        self.assertLessEqual(max(sum(1 for t in times if a <= t < a + 0.95) for a in times), 11)
        self.assertEqual(self.sim.peak_inflight, 1)

    def test_max_in_flight_is_the_operators_to_raise(self):
        self.central(max_in_flight=4)
        self.sim.faults.set(latency_ms=150)
        self.accept(self.relay, *(result(n, service=f"s{n}") for n in range(12)))
        self.applied(12)
        self.assertTrue(2 <= self.sim.peak_inflight <= 4, self.sim.peak_inflight)
