"""What is sent to a GroundWork server, and how its answers are judged, pitfall by pitfall."""

import json
import time

from .groundwork_case import GroundWorkCase, many
from .harness import PATIENCE, result, run


class GroundWorkRequests(GroundWorkCase):
    def test_request_is_as_documented_over_one_login_and_connection(self):
        agent = self.central(agent_id="agent-7", app_type="RELAY")
        self.accept(agent, result(1, state=2, time=1767608100.25, perfdata="dur=5460s"))
        self.applied(1)
        login, batch = self.sim.requests
        self.assertEqual((login.path, login.query, login.headers["accept"]), ("/api/auth/login", {}, "text/plain"))
        self.assertEqual((batch.path, batch.query), ("/api/services", {"merge": "true", "async": "false"}))
        self.assertEqual((batch.headers["accept"], batch.headers["content-type"]), ("application/json",) * 2)
        self.assertEqual(batch.headers["gwos-app-name"], "checkrelay")
        self.assertEqual(json.loads(batch.body), {"services": [
            {"hostName": "db1", "description": "Backup", "monitorStatus": "CRITICAL", "appType": "RELAY",
             "deviceIdentification": "db1", "monitorServer": "localhost", "agentId": "agent-7",
             "lastCheckTime": "2026-01-05T10:15:00.250+0000",
             "properties": {"LastPluginOutput": "n=1", "PerformanceData": "dur=5460s"}}]})
        item = self.sim.journal[0]
        self.assertEqual((item.stored, item.check_time), ("UNSCHEDULED CRITICAL", 1767608100.0))
        self.accept(agent, result(2))
        self.all_well(2)
        self.assertEqual((self.sim.logins, self.sim.connections), (1, 1))

    def test_hosts_and_services_go_in_batches_of_their_own(self):
        results = [r for n in range(20) for r in ({"host": f"h{n}", "state": n % 3, "output": "ping"},
                                                  result(n, host=f"h{n}"))]
        self.with_backlog(results)
        self.sim.start()
        self.all_well(40)
        for path, named in (("/api/hosts", False), ("/api/services", True)):
            batches = [self.items(r) for r in self.sim.batches(path)]
            self.assertEqual({"description" in item for items in batches for item in items}, {named})
            self.assertEqual(sum(map(len, batches)), 20)
            self.assertLess(len(batches), 6)
        self.assertEqual([self.sim.state(f"h{n}").status for n in range(3)], ["UP", "DOWN", "UNREACHABLE"])

    def test_batches_keep_to_count_and_bytes(self):
        self.with_backlog(many(100, perfdata="x=1 " * 50), batch_max=30, batch_bytes="5KB")
        self.sim.start()
        self.all_well(100)
        for request in self.sim.batches():
            self.assertLessEqual(len(request.body), 5000)
            self.assertLessEqual(len(self.items(request)), 30)

    def test_two_results_of_one_subject_never_share_a_batch_and_keep_their_order(self):
        self.with_backlog([result(n, host=host) for n in range(10) for host in ("db1", "DB1", "db2")])
        self.sim.start()
        self.all_well(30)
        self.assertEqual(self.sim.twice, [])
        for host in ("db1", "db2"):
            outputs = self.sim.outputs(host, "Backup")
            self.assertEqual(list(dict.fromkeys(outputs)), [f"n={n}" for n in range(10)])

    def test_the_whole_backlog_arrives_with_its_times(self):
        now = int(time.time())
        self.with_backlog([result(n, time=now - 3600 + n) for n in range(5)])
        self.sim.start()
        self.all_well(5)
        self.assertEqual([i.check_time for i in self.sim.journal], [now - 3600.0 + n for n in range(5)])

    def test_xml_and_the_bare_array_are_understood(self):
        for style in ("xml", "json_array"):
            agent = self.central(format=style)
            text = 'a <b> & "c"\nline two\twith tab'
            self.accept(agent, {"host": "db<1>", "service": "a&b", "state": 1, "output": text, "perfdata": "x=1"},
                        {"host": "db<1>", "state": 1, "output": text})
            self.all_well(2)
            for service in ("a&b", ""):
                self.assertEqual(self.sim.state("db<1>", service).output, text)
            self.assertEqual(self.sim.state("db<1>", "a&b").perfdata, "x=1")
            agent.stop()
            self.setUp()

    def test_awkward_names_arrive_untouched(self):
        names = ["100%", "a$USER1$", 'say "hi"', "it's", "C:\\ Drive /", "svc: x", "a;b", "åäö ☃", "a|b", "a&b=c?d#e",
                 "blank at the end "]
        self.accept(self.central(), *(result(n, service=name) for n, name in enumerate(names)))
        self.all_well(len(names))
        for n, name in enumerate(names):
            self.assertEqual(self.sim.outputs("db1", name), [f"n={n}"], name)

    def test_long_texts_are_cut_to_what_the_server_stores(self):
        agent = self.central(config={"limits": {"max_result": "1MiB"}})
        self.accept(agent, {"host": "db1", "service": "a", "state": 0, "output": "å" * 20000},
                    {"host": "db1", "state": 0, "output": "å" * 30000})
        self.all_well(2)
        self.assertEqual(len(self.sim.state("db1", "a").output), 16384)
        self.assertEqual(len(self.sim.state("db1").output), 30000)

    def test_a_name_that_is_too_long_is_a_dead_letter_that_stops_no_one(self):
        self.accept(self.central(), result(1, service="x" * 255), result(2))
        self.all_well(1, dead=1)


class GroundWorkResults(GroundWorkCase):
    """A 200 says nothing of an item: its row does."""

    def judged(self, **knobs):
        """Three items, of which the one in the middle fails at the server."""
        results = [result(1, service="a"), result(2, service="b"), result(3, service="c")]
        self.with_backlog(results, knobs)
        self.sim.own("db1", "b")
        self.sim.start()
        self.all_well(2, dead=1)
        self.assertEqual([i.service for i in self.sim.journal if i.service != "b"], ["a", "c"])

    def test_warnings_are_not_deliveries(self):
        self.judged()

    def test_both_names_of_the_counters_are_read_and_none_is_no_success(self):
        for style in ("success", "none"):
            self.judged(counters=style)
            self.relay.stop()
            self.setUp()

    def test_reordered_rows_are_paired_by_name(self):
        self.judged(order="reversed")

    def test_extra_rows_acknowledge_nothing(self):
        self.judged(extra_rows=True)

    def test_items_without_a_row_are_sent_again(self):
        agent = self.with_backlog([result(n, service=f"s{n}") for n in range(6)], {"short_rows": 2})
        self.sim.start()
        self.sim.wait(lambda: len(self.sim.batches()) >= 3, PATIENCE)
        self.sim.short_rows = 0
        agent.wait_destination("central", lambda d: d["delivered"] == 6)
        for n in range(6):
            self.assertIn(f"n={n}", self.sim.outputs("db1", f"s{n}"))

    def test_failed_items_are_dead_letters_with_the_servers_words(self):
        agent = self.central({"app_types": {"RELAY"}}, app_type="WRONG")
        ident = self.accept(agent, result(1))[0]
        agent.wait_destination("central", lambda d: d["dead"] == 1)
        self.assertIn("Application Type WRONG not found", agent.cli("queue", "show", ident).stdout)

    def test_one_poison_item_of_500_is_isolated_and_all_others_arrive(self):
        results = many(500)
        results[321]["output"] = "BOOM"
        agent = self.with_backlog(results, {"poison": ("BOOM",)})
        self.sim.start()
        self.all_well(499, dead=1)
        self.assertEqual(len({i.host for i in self.sim.journal}), 499)
        self.assertLess(len(self.sim.batches()), 40)
        self.assertEqual(agent.destination("central")["pending"], 0)

    def test_a_server_that_fails_at_everything_makes_no_dead_letters(self):
        agent = self.with_backlog(many(50), {"poison": ("n=",)})
        self.sim.start()
        agent.wait_destination("central", lambda d: d["state"] == "backoff" and "500" in (d["last_error"] or ""))
        self.assertEqual(agent.destination("central")["dead"], 0)
        self.sim.poison = ()
        agent.wait_destination("central", lambda d: d["delivered"] == 50)


class GroundWorkSessions(GroundWorkCase):
    def test_every_login_encoding_and_blanks_around_the_token(self):
        for encoding in ("base64", "plain", "base64_user"):
            agent = self.central({"login_encoding": encoding, "token_padding": " \r\n"}, login_encoding=encoding)
            self.accept(agent, result(1))
            self.all_well(1)
            agent.stop()
            self.setUp()

    def test_7_0_login_that_answers_in_xml_alone(self):
        self.accept(self.central({"login_accept": "application/xml"}), result(1))
        self.all_well(1)

    def test_an_expired_token_costs_one_login_and_no_duplicate(self):
        agent = self.central(max_in_flight=4, batch_max=5)
        self.warm()
        self.sim.stop()  # which ends the token, too
        self.accept(agent, *many(40))
        self.sim.start()
        self.all_well(41)
        self.assertEqual(self.sim.logins, 2)
        self.assertEqual(len(self.sim.journal), 41)

    def test_an_idle_token_is_replaced(self):
        agent = self.central()
        self.warm()
        self.sim.advance(30000)
        self.accept(agent, result(1))
        self.all_well(2)
        self.assertEqual(self.sim.logins, 2)

    def test_a_read_only_account_is_told_as_refused_without_a_login_loop(self):
        agent = self.central({"read_only": {"relay"}}, retry_max="60s")
        self.accept(agent, *many(10))
        status = agent.wait_destination("central", lambda d: d["state"] == "auth")
        self.assertEqual((status["pending"] + status["in_flight"], status["dead"]), (10, 0))
        self.assertEqual(self.sim.logins, 1)

    def test_a_wrong_password_is_refused_by_401_and_by_404(self):
        for refusal in (401, 404):
            agent = self.central({"login_refusal": refusal}, password="wrong", retry_max="60s")
            self.accept(agent, *many(10))
            status = agent.wait_destination("central", lambda d: d["state"] == "auth")
            self.assertEqual((status["dead"], len(self.sim.requests)), (0, 1))
            self.assertNotIn("wrong", json.dumps(status) + agent.stderr())
            agent.stop()
            self.setUp()

    def test_a_synchroniser_that_starts_is_waited_for(self):
        agent = self.central({"synchronising": True})
        self.accept(agent, result(1))
        agent.wait_destination("central", lambda d: d["state"] == "backoff")
        self.sim.synchronising = False
        self.all_well(1)

    def test_a_stop_logs_out(self):
        self.central()
        self.warm()
        self.assertEqual(self.relay.stop(), 0)
        self.assertEqual((self.sim.logouts, self.sim.tokens), (1, {}))

    def test_a_reload_that_changes_the_destination_logs_out(self):
        agent = self.central()
        self.warm()
        agent.config["destination"][0]["app_type"] = "RELAY"
        agent.write()
        agent.reload()
        self.assertTrue(self.sim.wait(lambda: self.sim.logouts == 1, PATIENCE))
        self.accept(agent, result(1))
        self.sim.wait(lambda: self.sim.outputs("db1", "Backup"), PATIENCE)
        self.assertEqual(self.sim.state("db1", "Backup").app_type, "RELAY")

    def test_doctor_logs_in_and_out_and_submits_nothing(self):
        agent = self.central()
        run("doctor", "--config", agent.file)
        self.assertEqual((self.sim.logins, self.sim.logouts, self.sim.journal), (1, 1, []))


class GroundWorkAnswers(GroundWorkCase):
    def recovers(self, agent, n=3):
        self.accept(agent, *(result(i) for i in range(n)))
        agent.wait_destination("central", lambda d: d["delivered"] == n + 1)
        self.assertEqual(list(dict.fromkeys(self.sim.outputs("db1", "Backup"))), [f"n={i}" for i in range(n)])

    def test_trouble_that_passes_is_tried_again(self):
        agent = self.central()
        self.warm()
        for status, body in ((500, "Internal Server Error"), (502, ""), (503, "<html>"), (504, ""), (429, "slow")):
            self.sim.faults.fail_next(1, status, body, "text/plain")
        self.recovers(agent)

    def test_an_empty_or_foreign_200_is_no_delivery(self):
        agent = self.central()
        self.warm()
        for body in ("", "{}", "[]", "<html></html>", '{"results":"success"}'):
            self.sim.faults.fail_next(1, 200, body)
        self.recovers(agent, 1)

    def test_html_and_405_where_the_api_should_be_is_a_matter_of_configuration(self):
        for status in (404, 405):
            agent = self.central()
            self.sim.faults.fail_next(-1, status, "<html>not here</html>", "text/html")
            self.accept(agent, result(0))
            self.assertEqual(agent.wait_destination("central", lambda d: d["state"] == "config")["dead"], 0)
            self.sim.faults.clear()
            self.all_well(1)
            agent.stop()
            self.setUp()

    def test_retry_after_is_honoured(self):
        agent = self.central()
        self.warm()
        self.sim.faults.fail_next(1, 503, "", headers=(("Retry-After", "30"),))
        self.accept(agent, result(1))
        status = agent.wait_destination("central", lambda d: d["state"] == "held")
        self.assertGreater(status["next_attempt_s"], 20)

    def check(self, n=4, **faults):
        agent = self.central(timeout="3s")
        self.warm()
        self.sim.faults.set(**faults)
        self.recovers(agent, n)

    def test_drops_truncations_and_silences_lose_nothing(self):
        for fault in ("drop_before_apply", "drop_after_apply", "truncate_body", "stall_headers", "stale_keepalive"):
            self.check(**{fault: 1})
            self.relay.stop()
            self.setUp()

    def test_chunked_gzip_and_closed_connections_are_read(self):
        for faults in ({"chunked": True}, {"gzip": "offered"}, {"connection_close": True}):
            self.check(**faults)
            self.relay.stop()
            self.setUp()
