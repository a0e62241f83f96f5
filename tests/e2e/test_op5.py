"""What is sent to an OP5 server, and how what a network does to it is survived, pitfall by pitfall."""

import json
import time

from simulators.op5 import Op5

from .harness import PATIENCE, SANITIZED, result
from .op5_case import Op5Case


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
        self.assertEqual(body,
                         {"host_name": "db1", "service_description": "Backup", "status_code": "0",
                          "plugin_output": "n=0"})
        self.assertEqual(self.sim.connections, 1)

    def test_host_result_goes_to_the_host_command(self):
        self.accept(self.central(), {"host": "db1", "state": "DOWN", "output": "no ping", "perfdata": "rta=9ms"})
        item = self.applied(1)[0]
        self.assertEqual((item.service, item.code, item.output, item.perfdata), ("", 1, "no ping", "rta=9ms"))
        self.assertNotIn("service_description", json.loads(item.raw))

    def test_host_state_3_never_reaches_the_server(self):
        agent = self.central()
        replies = self.send_json(agent, {"host": "db1", "state": 3, "output": "x"},
                                 {"host": "db1", "state": 2, "output": "y"})
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
        names = ["100%", "a$USER1$", 'say "hi"', "it's", "C:\\ Drive /", "a/b", "svc: x", "åäö ☃", "a|b", "a&b=c?d#e"]
        self.accept(self.central(), *(result(n, service=name) for n, name in enumerate(names)))
        self.applied(len(names))
        for n, name in enumerate(names):
            self.assertEqual(self.sim.outputs("db1", name), [f"n={n}"], name)

    def test_names_that_op5_cannot_address_are_dead_letters_that_stop_no_one(self):
        agent = self.central()
        self.accept(agent, result(1, service="a;b"), result(1, service="blank at the end "), result(2))
        self.applied(1)
        status = agent.wait_destination("central", lambda d: d["dead"] == 2 and d["delivered"] == 1)
        self.assertEqual((status["state"], len(self.sim.requests)), ("ok", 1))

    def test_user_name_with_module_suffix_logs_in(self):
        self.accept(self.central(username="status_update$LDAP"), result())
        self.assertEqual(self.applied(1)[0].user, "status_update")

    def test_text_survives_what_the_core_does_to_it(self):
        agent = self.central()
        self.accept(agent,
                    {"host": "db1", "service": "a", "state": 1, "output": "first\nsecond\nthird",
                     "perfdata": "x=1;2;3"},
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
        if not SANITIZED:
            self.assertLess(agent.memory("VmHWM"), 64 * 1024, "KiB at its peak")


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
