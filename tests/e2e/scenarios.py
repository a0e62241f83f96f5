"""What holds of every destination over HTTP, whatever its language: mixed into a case of `upstreams`."""

import time

from .harness import PATIENCE, result

NAMES = ("100%", "a$USER1$", 'say "hi"', "it's", "C:\\ Drive /", "a/b", "svc: x", "a;b", "åäö ☃", "a|b", "a&b=c?d#e",
         "a+b", "%41", "blank at the end ", "<b>")
HTML = "<!DOCTYPE html><html><body>Please log in</body></html>"
NO_CONFIRMATIONS = ((HTML, "text/html"), (HTML, "application/json"), ("", "application/json"),
                    ("{}", "application/json"), ("[]", "application/json"), ("null", "application/json"),
                    ("true", "application/json"), ("ok", "text/plain"), ("<results/>", "application/xml"),
                    ('{"error":"no"}', "application/json"), ('{"result":', "application/json"))


class Results:
    """What becomes of results, and of what is in them."""

    def test_a_200_that_confirms_nothing_is_no_delivery(self):
        self.central()
        self.warm()
        faults = self.aimed()
        for body, kind in NO_CONFIRMATIONS:
            faults.fail_next(1, 200, body, kind)
        self.accept(self.relay, result(1))
        self.all_well(2)
        self.assertEqual(self.arrived(), ["n=0", "n=1"])
        self.assertEqual(len(self.submissions()), 2 + len(NO_CONFIRMATIONS))

    def test_host_state_3_is_refused_at_the_door_and_the_others_arrive_as_they_are(self):
        self.central()
        replies = self.send_json(self.relay, *({"host": "db1", "state": n, "output": f"n={n}"} for n in (3, 0, 1, 2)))
        self.assertEqual([r["ok"] for r in replies], [False, True, True, True])
        self.all_well(3)
        self.assertEqual(self.sim.outputs("db1"), ["n=0", "n=1", "n=2"])

    def test_awkward_names_arrive_untouched_or_are_dead_letters_that_say_why(self):
        self.central(unknown_object_retry="0s")
        sent = [result(n, service=name) for n, name in enumerate(NAMES)]
        sent += [result(n, host=name.strip()) for n, name in enumerate(NAMES)]
        ids = self.accept(self.relay, *sent)
        status = self.relay.wait_destination("central", lambda d: d["delivered"] + d["dead"] == len(sent))
        lost = [r for r in sent if not self.sim.outputs(r["host"], r["service"])]
        self.assertEqual({name for r in lost for name in (r["host"], r["service"])} - {"db1", "Backup"},
                         set(self.UNADDRESSABLE))
        self.assertEqual((status["dead"], status["state"]), (len(lost), "ok"))
        for ident, r in zip(ids, sent):
            self.assertEqual(self.sim.outputs(r["host"], r["service"]), [] if r in lost else [r["output"]])
            if r in lost:
                self.assertRegex(self.relay.cli("queue", "show", ident).stdout, "wildcard|blank|semicolon|';'|\";\"")

    def test_one_bad_item_among_many_stops_no_one(self):
        self.central(unknown_object_retry="0s")
        self.warm()
        self.unknown("s17")
        self.sim.stop()
        ids = self.accept(self.relay, *(result(n, service=f"s{n}") for n in range(40)))
        self.sim.start()
        self.all_well(40, dead=1)
        self.assertEqual([n for n in range(40) if self.arrived(f"s{n}") != [f"n={n}"]], [17])
        self.assertIn("dead", self.relay.cli("queue", "show", ids[17]).stdout)

    def test_results_that_are_too_old_expire_unsent_and_are_counted(self):
        self.central(max_age="1h")
        self.accept(self.relay, result(1, time=time.time() - 7200), result(2))
        status = self.relay.wait_destination("central", lambda d: d["expired"] + d["delivered"] == 2)
        self.assertEqual((status["expired"], self.arrived()), (1, ["n=2"]))

    def test_what_newer_results_overtook_is_not_told_and_counted(self):
        self.central(backlog="latest")
        self.warm()
        self.sim.stop()
        self.accept(self.relay, *(result(n) for n in range(1, 10)), result(99, service="Other"))
        self.sim.start()
        status = self.relay.wait_destination("central", lambda d: d["pending"] + d["in_flight"] == 0)
        self.assertEqual((status["delivered"] + status["superseded"], self.arrived()[-1]), (11, "n=9"))
        self.assertGreaterEqual(status["superseded"], 7)  # the first may have been in flight
        self.assertEqual(self.arrived("Other"), ["n=99"])

    def test_results_of_tomorrow_and_of_1970_are_delivered_whatever_the_zone(self):
        sim = self.start_simulator()
        self.relay = self.agent(destinations=[self.destination_of(sim)], env={"TZ": "Asia/Kathmandu"})
        times = [int(time.time()) + 86400, 1.5, int(time.time())]
        self.accept(self.relay, *(result(n, time=t) for n, t in enumerate(times)))
        self.all_well(3)
        self.assertEqual(self.arrived(), ["n=0", "n=1", "n=2"])
        if hasattr(self.sim.journal[0], "check_time"):
            self.assertEqual([i.check_time for i in self.sim.journal], [float(int(t)) for t in times])

    def test_a_server_that_says_nothing_holds_up_no_other_destination(self):
        sim = self.start_simulator()
        self.relay = self.agent(destinations=[self.destination_of(sim, timeout="60s"), self.file_destination()])
        sim.hold()
        self.accept(self.relay, *(result(n, service=f"s{n}") for n in range(30)))
        self.wait_delivered(30)
        self.assertEqual((sim.journal, self.relay.destination("central")["delivered"]), ([], 0))
        sim.release()
        self.all_well(30)

    def test_the_rate_that_is_set_is_kept(self):
        self.central(rate=10, batch_max=1)
        self.accept(self.relay, *(result(n, service=f"s{n}") for n in range(20)))
        self.all_well(20)
        times = [i.received for i in self.sim.journal]
        self.assertGreaterEqual(times[-1] - times[0], 0.8)
        self.assertLessEqual(max(sum(1 for t in times if a <= t < a + 0.45) for a in times), 16)


class Networks:
    """What a network and a server's HTTP do to requests and answers: nothing is lost, and the order is kept."""

    def survives(self, exactly_once=True, count=4, timeout="30s", **faults):
        self.central(timeout=timeout)
        self.warm()
        self.aimed().set(**faults)
        self.accept(self.relay, *(result(n) for n in range(1, count + 1)))
        self.relay.wait_destination("central", lambda d: d["delivered"] == count + 1)
        wanted = [f"n={n}" for n in range(count + 1)]
        self.assertEqual(list(dict.fromkeys(self.arrived())), wanted)
        if exactly_once:
            self.assertEqual(self.arrived(), wanted)
        self.sim.faults.clear()

    def test_a_drop_before_it_was_applied_is_sent_again(self):
        self.survives(drop_before_apply=2)

    def test_a_drop_after_it_was_applied_gives_a_duplicate_and_keeps_the_order(self):
        self.survives(exactly_once=False, drop_after_apply=2)
        self.assertEqual(self.arrived(), ["n=0", "n=1", "n=1", "n=1", "n=2", "n=3", "n=4"])

    def test_a_truncated_answer_is_no_confirmation(self):
        self.survives(exactly_once=False, truncate_body=1)
        self.assertEqual(self.arrived()[:3], ["n=0", "n=1", "n=1"])

    def test_silence_is_given_up_after_the_timeout(self):
        self.survives(exactly_once=False, timeout="2s", stall_headers=1)

    def test_an_answer_that_drips_beyond_the_timeout_is_given_up(self):
        self.survives(exactly_once=False, timeout="2s", slow_body=1, drip_seconds=0.5)

    def test_an_answer_that_drips_within_the_timeout_is_taken(self):
        self.survives(slow_body=1, drip_seconds=0.001)

    def test_a_chunked_answer_is_read(self):
        self.survives(chunked=True)

    def test_a_compressed_answer_is_read_asked_for_or_not(self):
        self.survives(gzip="always")

    def test_connection_close_is_followed(self):
        self.survives(connection_close=True)

    def test_a_stale_kept_connection_costs_nothing(self):
        self.survives(stale_keepalive=3)

    def test_a_confirmation_of_another_content_type_is_read_for_what_it_is(self):
        self.survives(content_type="text/html; charset=utf-8")

    def test_latency_delays_and_loses_nothing(self):
        self.survives(latency_ms=100)

    def test_a_crash_in_the_middle_of_an_answer_loses_nothing(self):
        self.central()
        self.warm()
        self.aimed().set(slow_body=-1, drip_seconds=30)
        self.accept(self.relay, result(1), result(2))
        self.assertTrue(self.sim.wait(lambda: len(self.sim.journal) == 2, PATIENCE))
        self.relay.kill()
        self.sim.faults.clear()
        self.relay.start()
        self.relay.wait_idle()
        self.assertEqual(self.arrived(), ["n=0", "n=1", "n=1", "n=2"])

    def test_a_server_that_starts_again_is_found_again(self):
        self.central()
        self.warm()
        self.sim.restart()
        self.accept(self.relay, result(1))
        self.all_well(2)
        self.assertEqual(self.arrived(), ["n=0", "n=1"])


class Pace:
    def gap(self, status, headers):
        self.central()
        self.warm()
        self.aimed().fail_next(1, status, "wait", "text/plain", headers)
        self.accept(self.relay, result(1))
        refused, taken = [r.received for r in self.asked(3)[1:]]
        self.all_well(2)
        self.assertEqual(self.arrived(), ["n=0", "n=1"])
        return taken - refused

    def test_429_with_retry_after_in_seconds_is_waited_for(self):
        self.assertGreaterEqual(self.gap(429, [("Retry-After", "2")]), 1.99)

    def test_503_with_retry_after_as_a_date_is_waited_for(self):
        self.central()
        self.warm()
        until = int(time.time()) + 4
        date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(until))
        self.aimed().fail_next(1, 503, "wait", "text/plain", [("Retry-After", date)])
        self.accept(self.relay, result(1))
        self.relay.wait_destination("central", lambda d: d["state"] in ("held", "ok") and d["last_error"])
        self.all_well(2)
        self.assertGreaterEqual(self.submissions()[-1].received, until - 0.01)

    def test_an_hour_of_retry_after_is_called_held_and_loses_nothing(self):
        self.central()
        self.warm()
        self.aimed().fail_next(-1, 503, "come back later", "text/plain", [("Retry-After", "3000")])
        self.accept(self.relay, result(1))
        status = self.relay.wait_destination("central", lambda d: d["state"] == "held")
        self.assertGreater(status["next_attempt_s"], 2900)
        self.assertIn("come back later", status["last_error"])
        self.assertEqual((status["pending"] + status["in_flight"], status["dead"]), (1, 0))

    def test_429_and_503_without_retry_after_back_off_and_come_back(self):
        self.central()
        self.warm()
        for status in (429, 503, 429, 503):
            self.aimed().fail_next(1, status, "busy", "text/plain")
        self.accept(self.relay, result(1))
        self.all_well(2)
        self.assertEqual((len(self.submissions()), self.arrived()), (6, ["n=0", "n=1"]))
