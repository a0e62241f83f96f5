"""What an OP5 server and the network before it do to a client, pitfall by pitfall."""

import json
import time

from simulators.op5 import Op5

from .harness import PATIENCE, SANITIZED, Case, result


class Op5Case(Case):
    def central(self, backlog="all", objects=None, config=None, **options):
        """An agent with one OP5 destination, `central`."""
        self.sim = Op5(objects=objects).start()
        self.addCleanup(self.sim.stop)
        destination = self.op5_destination(self.sim, backlog=backlog, **options)
        self.relay = self.agent(destinations=[destination], **(config or {}))
        return self.relay

    def applied(self, count):
        self.assertTrue(self.sim.wait(lambda: len(self.sim.journal) >= count, PATIENCE),
                        f"{len(self.sim.journal)} of {count} applied: {self.relay.status()}")
        return self.sim.journal

    def all_well(self, delivered):
        self.relay.wait_destination("central", lambda d: d["delivered"] == delivered and d["state"] == "ok")


class Op5Requests(Op5Case):
    def test_request_is_as_documented_and_keeps_one_connection(self):
        self.accept(self.central(), *(result(n) for n in range(5)))
        self.applied(5)
        for request in self.sim.requests:
            self.assertEqual((request.method, request.path), ("POST", "/api/command/PROCESS_SERVICE_CHECK_RESULT"))
            self.assertEqual(request.query, {"format": "json"})
            self.assertEqual(request.headers["content-type"].split(";")[0], "application/json")
            self.assertIn("application/json", request.headers["accept"])
        body = json.loads(self.sim.requests[0].body)
        self.assertEqual(body, {"host_name": "db1", "service_description": "Backup", "status_code": "0", "plugin_output": "n=0"})
        self.assertEqual(self.sim.connections, 1)

    def test_host_result_goes_to_the_host_command(self):
        self.accept(self.central(), {"host": "db1", "state": "DOWN", "output": "no ping", "perfdata": "rta=9ms"})
        item = self.applied(1)[0]
        self.assertEqual((item.service, item.code, item.output, item.perfdata), ("", 1, "no ping", "rta=9ms"))
        self.assertNotIn("service_description", json.loads(item.raw))

    def test_host_state_3_never_reaches_the_server(self):
        agent = self.central()
        replies = self.send_json(agent, {"host": "db1", "state": 3, "output": "x"}, {"host": "db1", "state": 2, "output": "y"})
        self.assertEqual([r["ok"] for r in replies], [False, True])
        self.applied(1)
        self.assertEqual((self.sim.journal[0].code, self.sim.ignored), (2, []))

    def test_a_path_in_the_url_is_kept_in_front(self):
        sim = self.sim = Op5().start()
        self.addCleanup(sim.stop)
        self.relay = self.agent(destinations=[self.op5_destination(sim, url=sim.url + "/monitor")])
        self.accept(self.relay, result())
        sim.wait(lambda: sim.requests)
        self.assertEqual(sim.requests[0].path, "/monitor/api/command/PROCESS_SERVICE_CHECK_RESULT")

    def test_names_with_special_characters_arrive_untouched(self):
        names = ["100%", "a$USER1$", 'say "hi"', "it's", "C:\\ Drive /", "a/b", "svc: x", "åäö ☃", "a|b", "a&b=c?d#e", "trailing "]
        self.accept(self.central(), *(result(n, service=name) for n, name in enumerate(names)))
        self.applied(len(names))
        for n, name in enumerate(names):
            self.assertEqual(self.sim.outputs("db1", name), [f"n={n}"], name)

    def test_name_with_semicolon_is_a_dead_letter_that_stops_no_one(self):
        agent = self.central()
        self.accept(agent, result(1, service="a;b"), result(2))
        self.applied(1)
        status = agent.wait_destination("central", lambda d: d["dead"] == 1 and d["delivered"] == 1)
        self.assertEqual(status["state"], "ok")

    def test_user_name_with_module_suffix_logs_in(self):
        self.accept(self.central(username="status_update$LDAP"), result())
        self.assertEqual(self.applied(1)[0].user, "status_update")

    def test_text_survives_what_the_core_does_to_it(self):
        agent = self.central()
        self.accept(agent, {"host": "db1", "service": "a", "state": 1, "output": "first\nsecond\nthird", "perfdata": "x=1;2;3"},
                    {"host": "db1", "service": "b", "state": 1, "output": ""},
                    {"host": "db1", "service": "c", "state": 1, "output": "pipe | inside", "perfdata": "y=2"})
        a, b, c = (self.applied(3) and self.sim.state("db1", s) for s in "abc")
        self.assertEqual((a.output, a.long_output, a.perfdata), ("first / second / third", "", "x=1;2;3"))
        self.assertEqual(b.output, "(no output)")
        self.assertEqual(c.perfdata, "y=2")
        self.assertTrue(c.output.startswith("pipe ") and c.output.endswith(" inside"), c.output)

    def test_long_text_is_cut_on_a_character(self):
        self.accept(self.central(), {"host": "db1", "service": "a", "state": 0, "output": "å" * 9000})
        text = self.applied(1)[0].output
        self.assertLessEqual(len(text.encode()), 4096)
        self.assertGreater(len(text), 1500)
        self.assertNotIn("\ufffd", text)

    def test_multiline_raw_keeps_lines(self):
        self.accept(self.central(multiline="raw"), {"host": "db1", "service": "a", "state": 0, "output": "one\ntwo"})
        item = self.applied(1)[0]
        self.assertEqual((item.output, item.long_output), ("one", "two"))

    def test_result_from_the_future_is_delivered(self):
        self.accept(self.central(), result(1, time=time.time() + 86400), result(2, time=1.5))
        self.applied(2)
        self.assertEqual(self.sim.outputs("db1", "Backup"), ["n=1", "n=2"])


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
        for status, body in ((500, "Internal Server Error"), (502, ""), (504, "<html>gateway timeout</html>"), (429, "slow down")):
            self.sim.faults.fail_next(1, status, body, "text/plain")
        self.recovers(agent)

    def test_200_with_html_is_no_delivery_but_a_matter_of_configuration(self):
        agent = self.central()
        self.sim.fail_html_200(-1)
        self.accept(agent, result(0))
        status = agent.wait_destination("central", lambda d: d["state"] == "config")
        self.assertEqual((status["pending"] + status["in_flight"], status["delivered"], status["dead"]), (1, 0, 0))
        self.assertTrue(status["last_error"])
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


class Op5Transport(Op5Case):
    def check(self, n=4, exactly_once=True, **faults):
        agent = self.central(timeout="3s")
        self.sim.faults.set(**faults)
        self.accept(agent, *(result(i) for i in range(n)))
        self.all_well(n)
        outputs = self.sim.outputs("db1", "Backup")
        self.assertEqual(list(dict.fromkeys(outputs)), [f"n={i}" for i in range(n)])
        if exactly_once:
            self.assertEqual(len(outputs), n)
        self.sim.faults.clear()

    def test_drop_before_apply_is_sent_again(self):
        self.check(drop_before_apply=2)

    def test_drop_after_apply_gives_a_duplicate_and_keeps_the_order(self):
        self.check(exactly_once=False, drop_after_apply=2)
        self.assertEqual(self.sim.outputs("db1", "Backup"), ["n=0", "n=0", "n=0", "n=1", "n=2", "n=3"])

    def test_truncated_answer_is_no_confirmation(self):
        self.check(exactly_once=False, truncate_body=1)
        self.assertEqual(self.sim.outputs("db1", "Backup")[:2], ["n=0", "n=0"])

    def test_chunked_answer_is_read(self):
        self.check(chunked=True)

    def test_gzip_answer_is_read_where_it_was_offered(self):
        self.check(gzip="offered")

    def test_connection_close_is_followed(self):
        self.check(connection_close=True)
        self.assertEqual(self.sim.connections, 4)

    def test_stale_keepalive_is_no_loss(self):
        self.check(stale_keepalive=2)

    def test_answer_that_drips_beyond_the_timeout_is_given_up(self):
        self.check(exactly_once=False, slow_body=1, drip_seconds=0.5)

    def test_answer_that_drips_within_the_timeout_is_taken(self):
        self.check(slow_body=1, drip_seconds=0.005)

    def test_silence_after_the_request_is_given_up_after_the_timeout(self):
        self.check(stall_headers=1)

    def test_latency_delays_and_loses_nothing(self):
        self.check(latency_ms=100)

    def test_restart_of_the_server_is_survived(self):
        agent = self.central()
        self.accept(agent, result(0))
        self.applied(1)
        self.sim.restart()
        self.accept(agent, result(1))
        self.applied(2)
        self.all_well(2)

    def test_an_answer_of_many_megabytes_does_not_fill_memory(self):
        agent = self.central()
        self.sim.faults.fail_next(1, 200, b"x" * (12 << 20), "text/plain")
        self.accept(agent, result(0))
        self.applied(1)
        peak = next(line for line in open(f"/proc/{agent.process.pid}/status") if line.startswith("VmHWM"))
        if not SANITIZED:
            self.assertLess(int(peak.split()[1]), 64 * 1024, "KiB of memory at its peak")


class Op5StaleNews(Op5Case):
    def test_latest_is_the_default_and_leaves_out_what_is_overtaken(self):
        self.sim = Op5().start()
        self.addCleanup(self.sim.stop)
        self.sim.stop()
        destination = self.op5_destination(self.sim)
        self.relay = self.agent(destinations=[destination])
        self.accept(self.relay, *(result(n) for n in range(10)), result(99, service="Other"))
        self.sim.start()
        status = self.relay.wait_destination("central", lambda d: d["pending"] + d["in_flight"] == 0)
        outputs = self.sim.outputs("db1", "Backup")
        self.assertEqual(outputs[-1], "n=9")
        self.assertEqual(status["delivered"] + status["superseded"], 11)
        self.assertGreaterEqual(status["superseded"], 8)  # the first may have been in flight
        self.assertEqual(self.sim.outputs("db1", "Other"), ["n=99"])

    def test_too_old_results_expire_and_are_counted(self):
        agent = self.central(max_age="1h")
        self.accept(agent, result(1, time=time.time() - 7200), result(2))
        self.applied(1)
        status = agent.wait_destination("central", lambda d: d["expired"] == 1 and d["delivered"] == 1)
        self.assertEqual(self.sim.outputs("db1", "Backup"), ["n=2"])
        self.assertEqual(status["pending"], 0)


class Op5UnknownObjects(Op5Case):
    def check_created_later(self, unknown_status):
        agent = self.central(objects={("db1", "Other")}, unknown_object_retry="12s")
        self.sim.unknown_status = unknown_status
        self.accept(agent, result(1), result(2), result(3, service="Other"))
        self.sim.wait(lambda: len(self.sim.requests) >= 3, PATIENCE)
        self.assertEqual(self.sim.outputs("db1", "Other"), ["n=3"])  # waits for no one
        self.assertEqual(agent.destination("central")["dead"], 0)
        self.sim.know("db1", "Backup")
        self.all_well(3)
        self.assertEqual(self.sim.outputs("db1", "Backup"), ["n=1", "n=2"])

    def test_service_created_later_gets_its_results_after_400(self):
        self.check_created_later(400)

    def test_service_created_later_gets_its_results_after_404(self):
        self.check_created_later(404)

    def test_dead_letter_after_the_window_with_the_servers_words(self):
        agent = self.central(objects={("db1", "Other")}, unknown_object_retry="300ms")
        ident = self.accept(agent, result(1))[0]
        agent.wait_destination("central", lambda d: d["dead"] == 1)
        story = agent.cli("queue", "show", ident)
        self.assertEqual(story.returncode, 0, story.stderr)
        self.assertIn("unknown service", story.stdout)
        self.assertIn("dead", story.stdout)

    def test_no_window_is_a_dead_letter_at_once(self):
        agent = self.central(objects={("db1", "Other")}, unknown_object_retry="0s")
        self.accept(agent, result(1))
        agent.wait_destination("central", lambda d: d["dead"] == 1)
        self.assertEqual(len(self.sim.requests), 1)

    def test_queue_retry_delivers_a_dead_letter(self):
        agent = self.central(objects={("db1", "Other")}, unknown_object_retry="0s")
        ident = self.accept(agent, result(1))[0]
        agent.wait_destination("central", lambda d: d["dead"] == 1)
        self.sim.know("db1", "Backup")
        done = agent.cli("queue", "retry", ident)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.all_well(1)
        self.assertEqual(agent.destination("central")["dead"], 0)
        self.assertEqual(self.sim.outputs("db1", "Backup"), ["n=1"])

    def test_queue_drop_ends_a_dead_letter_as_expired(self):
        agent = self.central(objects={("db1", "Other")}, unknown_object_retry="0s")
        ident = self.accept(agent, result(1))[0]
        agent.wait_destination("central", lambda d: d["dead"] == 1)
        self.assertEqual(agent.cli("queue", "drop", ident).returncode, 0)
        agent.wait_destination("central", lambda d: d["dead"] == 0 and d["expired"] == 1)

    def test_give_up_after_makes_dead_letters_of_what_nobody_takes(self):
        agent = self.central(give_up_after="400ms")
        self.sim.faults.fail_next(-1, 500, "broken", "text/plain")
        ident = self.accept(agent, result(1))[0]
        agent.wait_destination("central", lambda d: d["dead"] == 1)
        self.assertIn("broken", agent.cli("queue", "show", ident).stdout)
