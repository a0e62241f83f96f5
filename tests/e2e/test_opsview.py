"""What is sent to an Opsview server, and how logins, reloads and missing objects are survived, pitfall by pitfall."""

import json

from simulators.opsview import Opsview

from .harness import PATIENCE, result, run
from .opsview_case import OpsviewCase


class OpsviewRequests(OpsviewCase):
    def test_detail_logs_in_looks_up_once_and_sends_both_headers(self):
        self.accept(self.central(), *(result(n, state=2, perfdata="x=1") for n in range(3)))
        self.applied(3)
        self.all_well(3)
        asked = [(r.method, r.path) for r in self.sim.requests]
        self.assertEqual(asked, [("GET", "/rest"), ("POST", "/rest/login"), ("GET", "/rest/reload"),
                                 ("GET", "/rest/detail")] + [("POST", "/rest/detail")] * 3)
        sent = self.submissions()[0]
        self.assertEqual(sent.query, {"hostname": "db1", "servicename": "Backup"})
        self.assertEqual(json.loads(sent.body), {"set_state": {"result": 2, "output": "n=0|x=1"}})
        self.assertEqual(sent.headers["x-opsview-username"], "relay")
        self.assertIn(sent.headers["x-opsview-token"], self.sim.sessions)
        self.assertEqual(self.sim.connections, 1)

    def test_status_takes_the_object_in_the_answer_for_a_confirmation(self):
        agent = self.central(submit="status", objects={("db1", ""), ("db1", "Backup")})
        self.accept(agent, result(1), {"host": "db1", "state": 1, "output": "no ping"})
        self.applied(2)
        self.all_well(2)
        self.assertEqual({(i.form, i.service, i.code) for i in self.sim.journal},
                         {("status", "Backup", 0), ("status", "", 1)})
        self.assertEqual(self.sim.asked("GET", "/rest/detail"), [])

    def test_numbers_instead_of_texts_are_read_as_well(self):
        agent = self.central(submit="status")
        self.sim.strings = False
        self.accept(agent, result(1))
        self.all_well(1)

    def test_names_with_special_characters_arrive_untouched(self):
        names = ["a$USER1$", 'say "hi"', "it's", "C:\\ Drive /", "a/b", "svc: x", "åäö ☃", "a|b", "a&b=c?d#e", "a;b"]
        objects = {("db1", name) for name in names}
        for form in ("detail", "status"):
            with self.subTest(form):
                agent = self.central(submit=form, objects=objects)
                self.accept(agent, *(result(n, service=name) for n, name in enumerate(names)))
                self.applied(len(names))
                for n, name in enumerate(names):
                    self.assertEqual(self.sim.outputs("db1", name), [f"n={n}"], name)
                self.assertEqual(agent.stop(), 0)

    def test_name_with_a_percent_sign_is_a_dead_letter_that_touches_no_object(self):
        agent = self.central(objects={("db1", "Backup"), ("db1", "100x")})
        ident = self.accept(agent, result(1, service="100%"), result(2))[0]
        agent.wait_destination("central", lambda d: d["dead"] == 1 and d["delivered"] == 1)
        self.assertEqual(self.sim.outputs("db1", "100x"), [])
        self.assertIn("wildcard", agent.cli("queue", "show", ident).stdout)

    def test_name_with_an_underscore_is_looked_at_before_it_hits_others(self):
        agent = self.central(submit="status", objects={("db_1", ""), ("dbx1", ""), ("web_1", "")})
        self.sim.underscore = True
        self.accept(agent, {"host": "db_1", "state": 0, "output": "x"}, {"host": "web_1", "state": 0, "output": "y"})
        agent.wait_destination("central", lambda d: d["dead"] == 1 and d["delivered"] == 1)
        self.assertEqual([(i.host, i.output) for i in self.sim.journal], [("web_1", "y")])

    def test_empty_and_multi_line_output_are_made_fit(self):
        self.accept(self.central(), {"host": "db1", "service": "a", "state": 0, "output": ""},
                    {"host": "db1", "service": "b", "state": 0, "output": "one | 1\ntwo", "perfdata": "x=1"})
        self.applied(2)
        self.assertEqual(self.sim.outputs("db1", "a"), ["(no output)"])
        item = self.sim.state("db1", "b")
        self.assertEqual((item.output, item.perfdata), ("one \u00a6 1 / two", "x=1"))

    def test_credentials_are_in_no_url_and_in_no_log(self):
        agent = self.central(password="s3cr3t-word", config={"log": {"level": "trace"}})
        self.sim.users["relay"] = "s3cr3t-word"
        self.accept(agent, result(1))
        self.applied(1)
        self.all_well(1)
        token = next(iter(self.sim.sessions))
        self.sim.faults.fail_next(1, 500, f"{token} s3cr3t-word", "text/plain")
        self.accept(agent, result(2))
        self.applied(2)
        told = agent.stderr() + json.dumps(agent.status()) + "".join(r.target for r in self.sim.requests)
        self.assertNotIn("s3cr3t-word", told)
        self.assertNotIn(token, told)

    def test_a_stop_logs_out(self):
        agent = self.central()
        self.accept(agent, result(1))
        self.all_well(1)
        self.assertEqual(agent.stop(), 0)
        self.assertEqual(self.sim.sessions, {})


class OpsviewLogins(OpsviewCase):
    def test_token_that_expires_in_between_is_renewed_once(self):
        agent = self.central()
        self.accept(agent, result(0))
        self.all_well(1)
        self.sim.expire_sessions()
        self.accept(agent, *(result(n, service=f"s{n}") for n in range(20)))
        self.applied(21)
        self.all_well(21)
        self.assertEqual(self.sim.logins, 2)
        self.assertEqual(len(self.sim.journal), 21)

    def test_expiry_with_many_requests_under_way_is_one_login_and_no_result_twice(self):
        agent = self.central(max_in_flight=16)
        self.accept(agent, *(result(n, service=f"s{n % 50}") for n in range(500)))
        self.applied(100)
        self.sim.expire_sessions()
        self.all_well(500)
        self.assertEqual((self.sim.logins, len(self.sim.journal)), (2, 500))
        for s in range(50):
            self.assertEqual(self.sim.outputs("db1", f"s{s}"), [f"n={n}" for n in range(s, 500, 50)])

    def test_restart_of_the_server_is_survived(self):
        agent = self.central()
        self.accept(agent, result(0))
        self.all_well(1)
        self.sim.restart()
        self.accept(agent, result(1))
        self.applied(2)
        self.all_well(2)

    def test_access_denied_is_auth_and_no_reason_to_log_in_again(self):
        agent = self.central(retry_max="60s")
        self.sim.rights["relay"] = {"RELOADVIEW"}
        self.accept(agent, result(0))
        status = agent.wait_destination("central", lambda d: d["state"] == "auth")
        self.assertIn("Access denied", status["last_error"])
        self.assertEqual((self.sim.logins, status["dead"]), (1, 0))

    def test_wrong_password_is_auth_and_is_not_hammered(self):
        agent = self.central(password="wrong", retry_max="60s")
        self.accept(agent, *(result(n, service=f"s{n}") for n in range(20)))
        status = agent.wait_destination("central", lambda d: d["state"] == "auth")
        self.assertEqual((status["pending"] + status["in_flight"], status["dead"]), (20, 0))
        self.assertEqual(len(self.sim.asked("POST", "/rest/login")), 1)

    def test_login_that_is_unavailable_is_tried_again(self):
        agent = self.central()
        self.sim.fail_login(2)
        self.accept(agent, result(0))
        self.applied(1)
        self.all_well(1)
        self.assertEqual(len(self.sim.asked("POST", "/rest/login")), 3)

    def test_api_of_a_later_age_is_a_matter_of_configuration(self):
        agent = self.central()
        self.sim.api["api_min_version"] = "9.000"
        self.accept(agent, result(0))
        status = agent.wait_destination("central", lambda d: d["state"] == "config")
        self.assertIn("9.000", status["last_error"])
        self.assertEqual(self.sim.asked("POST", "/rest/login"), [])

    def test_doctor_says_who_answers_and_what_the_user_may(self):
        agent = self.central()
        found = json.loads(run("doctor", "--json", "--config", agent.file).stdout)["findings"]
        about = {f["about"]: f["what"] for f in found}
        self.assertIn("Opsview 6.8.9; may submit results", about["destination central"])


class OpsviewReloads(OpsviewCase):
    def test_destination_is_held_while_the_server_reloads_and_loses_nothing(self):
        for form in ("detail", "status"):
            with self.subTest(form):
                agent = self.central(submit=form)
                self.sim.average_duration = 1
                self.sim.begin_reload()
                self.accept(agent, *(result(n) for n in range(3)))
                agent.wait_destination("central", lambda d: d["state"] == "held")
                self.assertEqual(self.submissions(), [])
                self.sim.end_reload()
                self.applied(3)
                self.all_well(3)
                self.assertEqual(self.sim.outputs("db1", "Backup"), ["n=0", "n=1", "n=2"])
                self.assertEqual(agent.stop(), 0)

    def test_409_in_both_shapes_holds(self):
        for shape in ("string", "strings"):
            with self.subTest(shape):
                agent = self.central()
                self.sim.messages, self.sim.average_duration = shape, 1
                self.accept(agent, result(0))
                self.all_well(1)
                self.sim.begin_reload()
                self.accept(agent, result(1))
                agent.wait_destination("central", lambda d: d["state"] == "held")
                self.sim.end_reload()
                self.applied(2)
                self.all_well(2)
                self.assertEqual(agent.destination("central")["dead"], 0)
                self.assertEqual(agent.stop(), 0)

    def test_miss_during_a_reload_is_retried_even_where_unknown_objects_are_not(self):
        agent = self.central(submit="status", objects={("db1", "Backup")}, unknown_object_retry="0s")
        self.sim.during_reload, self.sim.average_duration = "miss", 1
        self.accept(agent, result(0))
        self.all_well(1)
        self.sim.begin_reload()
        self.accept(agent, result(1))
        wait = self.sim.wait(lambda: len(self.sim.asked("GET", "/rest/reload")) >= 2, PATIENCE)
        self.sim.end_reload()
        self.assertTrue(wait)
        self.applied(2)
        self.all_well(2)
        self.assertEqual(agent.destination("central")["dead"], 0)

    def test_object_that_a_reload_makes_gets_the_result_that_came_before(self):
        agent = self.central(objects={("db1", "Other")}, unknown_object_retry="6s")
        self.sim.configure("db1", "Backup")
        self.accept(agent, result(1), result(2, service="Other"))
        agent.wait_destination("central", lambda d: d["delivered"] == 1)
        self.sim.begin_reload()
        self.sim.end_reload()
        self.applied(2)
        self.all_well(2)
        self.assertEqual(self.sim.outputs("db1", "Backup"), ["n=1"])

    def test_user_without_the_right_to_see_reloads_delivers(self):
        agent = self.central()
        self.sim.rights["relay"] = {"ACTIONSOME"}
        self.accept(agent, result(0), result(1))
        self.all_well(2)
        self.assertEqual(len(self.sim.asked("GET", "/rest/reload")), 1)

    def test_server_that_does_not_run_is_awaited(self):
        agent = self.central()
        self.sim.server_status = 2
        self.accept(agent, result(0))
        self.assertTrue(self.sim.wait(lambda: len(self.sim.asked("GET", "/rest/reload")) >= 3, PATIENCE))
        self.assertEqual(agent.wait_destination("central", lambda d: d["state"] == "backoff")["delivered"], 0)
        self.assertEqual(self.submissions(), [])
        self.sim.server_status = 4
        self.all_well(1)


class OpsviewMisses(OpsviewCase):
    def test_zero_objects_are_never_a_delivery(self):
        for form in ("detail", "status"):
            for unmatched in ("400", "empty", "success"):
                with self.subTest(form=form, unmatched=unmatched):
                    agent = self.central(submit=form, objects={("db1", "Other")}, unknown_object_retry="0s")
                    self.sim.unmatched = "empty" if (form, unmatched) == ("status", "success") else unmatched
                    self.accept(agent, result(1), result(2, service="Other"))
                    agent.wait_destination("central", lambda d: d["dead"] == 1 and d["delivered"] == 1)
                    self.assertEqual(len(self.sim.journal), 1)
                    self.assertEqual(agent.stop(), 0)

    def test_service_created_later_gets_its_results_in_order(self):
        agent = self.central(objects={("db1", "Other")}, unknown_object_retry="6s")
        self.accept(agent, result(1), result(2), result(3, service="Other"))
        agent.wait_destination("central", lambda d: d["delivered"] == 1)
        self.sim.know("db1", "Backup")
        self.all_well(3)
        self.assertEqual(self.sim.outputs("db1", "Backup"), ["n=1", "n=2"])


class OpsviewAnswers(OpsviewCase):
    def recovers(self, agent, n=3):
        self.accept(agent, *(result(i) for i in range(n)))
        self.applied(n)
        self.all_well(n)
        self.assertEqual(self.sim.outputs("db1", "Backup"), [f"n={i}" for i in range(n)])

    def test_deadlock_is_tried_again_whatever_its_status(self):
        agent = self.central()
        self.sim.fail_deadlock(1)
        self.sim.fail_deadlock(1, status=400)
        self.recovers(agent)

    def test_200_with_html_empty_or_foreign_body_is_no_delivery(self):
        agent = self.central()
        self.accept(agent, result(100, service="Other"))
        self.all_well(1)
        self.sim.fail_html_200(1)
        for body in ("", "{}", "[]", "null", '{"success":"0"}', '{"rest":null}'):
            self.sim.faults.fail_next(1, 200, body)
        self.accept(agent, result(0))
        self.applied(2)
        self.all_well(2)
        self.assertEqual(self.sim.outputs("db1", "Backup"), ["n=0"])

    def test_wrapper_of_always_return_200_is_seen_through(self):
        agent = self.central()
        self.sim.always_return_200 = True
        self.accept(agent, result(0))
        self.all_well(1)
        self.sim.expire_sessions()
        self.accept(agent, result(1))
        self.all_well(2)
        self.assertEqual(self.sim.logins, 2)

    def test_error_without_detail_is_told_in_the_servers_words(self):
        agent = self.central(submit="status", objects=set(), unknown_object_retry="0s")
        self.sim.error_detail = False
        ident = self.accept(agent, result(0))[0]
        agent.wait_destination("central", lambda d: d["dead"] == 1)
        self.assertIn("No objects chosen", agent.cli("queue", "show", ident).stdout)

    def test_redirect_is_not_followed_and_shows_nobody_the_token(self):
        agent = self.central()
        elsewhere = Opsview().start()
        self.addCleanup(elsewhere.stop)
        for status in (301, 302, 307, 308):
            self.sim.fail_redirect(1, elsewhere.url + "/rest/login", status)
        self.accept(agent, result(0))
        self.applied(1)
        self.all_well(1)
        self.assertEqual((elsewhere.requests, elsewhere.connections), ([], 0))

    def test_404_html_on_the_base_path_is_a_matter_of_configuration(self):
        agent = self.central()
        self.sim.faults.fail_next(-1, 404, "<html>not found</html>", "text/html")
        self.accept(agent, result(0))
        self.assertEqual(agent.wait_destination("central", lambda d: d["state"] == "config")["dead"], 0)
        self.sim.faults.clear()
        self.all_well(1)

    def test_503_with_retry_after_is_honoured_and_called_held(self):
        agent = self.central()
        self.accept(agent, result(0))
        self.all_well(1)
        self.sim.faults.fail_next(1, 503, "busy", "text/plain", [("Retry-After", "2")])
        self.accept(agent, result(1))
        agent.wait_destination("central", lambda d: d["state"] == "held")
        self.all_well(2)

    def test_transport_faults_lose_nothing_and_keep_the_order(self):
        for fault in ({"drop_before_apply": 2}, {"drop_after_apply": 2}, {"truncate_body": 2}, {"stall_headers": 1},
                      {"stale_keepalive": 2}, {"chunked": True}, {"connection_close": True},
                      {"slow_body": 1, "drip_seconds": 0.001}, {"latency_ms": 50}):
            with self.subTest(fault):
                agent = self.central(timeout="2s")
                self.sim.faults.set(**fault)
                self.accept(agent, *(result(i) for i in range(4)))
                self.all_well(4)
                outputs = self.sim.outputs("db1", "Backup")
                self.assertEqual(list(dict.fromkeys(outputs)), [f"n={i}" for i in range(4)])
                self.assertEqual(agent.stop(), 0)


class OpsviewStaleNews(OpsviewCase):
    def test_latest_is_the_default_and_leaves_out_what_is_overtaken(self):
        self.sim = Opsview().start()
        self.addCleanup(self.sim.stop)
        self.sim.stop()
        self.relay = self.agent(destinations=[self.opsview_destination(self.sim)])
        self.accept(self.relay, *(result(n) for n in range(10)), result(99, service="Other"))
        self.sim.start()
        status = self.relay.wait_destination("central", lambda d: d["pending"] + d["in_flight"] == 0)
        self.assertEqual(self.sim.outputs("db1", "Backup")[-1], "n=9")
        self.assertEqual(status["delivered"] + status["superseded"], 11)
        self.assertGreaterEqual(status["superseded"], 8)
