"""The Opsview simulator by itself: what it says must be what its documented contract says, or it proves nothing."""

import http.client
import json
import os
import subprocess
import sys
import unittest
import urllib.parse
import urllib.request

from simulators import opsview, opsview_wire

JSON = "application/json"
DETAIL = "/rest/detail?hostname=db1&servicename=Backup"
STATUS = "/rest/status?svc.hostname=db1&svc.servicename=Backup"


class OpsviewCase(unittest.TestCase):
    options = {}

    def setUp(self):
        self.sim = opsview.Opsview(**self.options).start()
        self.addCleanup(self.sim.stop)

    def call(self, method, path, value=None, headers=None, kind=JSON, accept=JSON):
        connection = http.client.HTTPConnection("127.0.0.1", self.sim.port, timeout=10)
        self.addCleanup(connection.close)
        data = value if value is None or isinstance(value, (bytes, str)) else json.dumps(value)
        fields = {**(headers or {})}
        if kind:
            fields["Content-Type"] = kind
        if accept:
            fields["Accept"] = accept
        connection.request(method, path, data, fields)
        response = connection.getresponse()
        text = response.read()
        is_json = response.headers["Content-Type"] == JSON
        return response.status, json.loads(text) if is_json else text.decode(), response

    def login(self, user="relay", password="secret"):
        status, answer, _ = self.call("POST", "/rest/login", {"username": user, "password": password})
        self.assertEqual(status, 200, answer)
        return {"X-Opsview-Username": user, "X-Opsview-Token": answer["token"]}

    def submit(self, headers, path=DETAIL, result=2, output="took 91 min|dur=5460s"):
        if path.startswith("/rest/status"):
            return self.call("POST", path, {"new_state": str(result), "comment": output}, headers)[:2]
        return self.call("POST", path, {"set_state": {"result": result, "output": output}}, headers)[:2]


class OpsviewLogin(OpsviewCase):
    def test_token_has_40_hex_digits_and_both_headers_are_needed(self):
        who = self.login()
        self.assertRegex(who["X-Opsview-Token"], "^[0-9a-f]{40}$")
        self.assertEqual(self.call("GET", "/rest/info", headers=who)[0], 200)
        for name in who:
            status, answer, _ = self.call("GET", "/rest/info", headers={name: who[name]})
            self.assertEqual((status, answer["message"]), (401, "Not authenticated"))

    def test_login_takes_json_form_and_url_parameters(self):
        form = urllib.parse.urlencode({"username": "relay", "password": "secret"})
        self.assertEqual(self.call("POST", "/rest/login", form, kind="application/x-www-form-urlencoded")[0], 200)
        self.assertEqual(self.call("POST", "/rest/login?" + form)[0], 200)

    def test_wrong_password_is_401_and_login_failure_503(self):
        self.assertEqual(self.call("POST", "/rest/login", {"username": "relay", "password": "x"})[0], 401)
        self.sim.fail_login(1)
        status, answer, _ = self.call("POST", "/rest/login", {"username": "relay", "password": "secret"})
        self.assertEqual((status, answer["message"]), (503, "Error creating session token after 5 attempts"))
        self.login()

    def test_user_data_comes_where_asked_for(self):
        body = {"username": "relay", "password": "secret", "include_user_data": 1}
        answer = self.call("POST", "/rest/login", body)[1]
        self.assertEqual(answer["user_data"]["access_list"]["ACTIONALL"], "1")

    def test_expiry_slides_with_successful_calls_alone(self):
        who = self.login()
        self.sim.pass_time(3000)
        self.assertEqual(self.call("GET", "/rest/info", headers=who)[0], 200)
        self.sim.pass_time(3000)
        self.assertEqual(self.call("GET", "/rest/nowhere", headers=who)[0], 404)
        self.sim.pass_time(1000)
        self.assertEqual(self.call("GET", "/rest/info", headers=who)[0], 401)

    def test_logout_ends_the_session(self):
        who = self.login()
        self.assertEqual(self.call("DELETE", "/rest/login", headers=who)[0], 200)
        self.assertEqual(self.call("GET", "/rest/info", headers=who)[0], 401)

    def test_restart_drops_sessions(self):
        who = self.login()
        self.sim.restart()
        self.assertEqual(self.call("GET", "/rest/info", headers=who)[0], 401)


class OpsviewFormats(OpsviewCase):
    def test_versions_need_no_login_and_numbers_are_strings(self):
        self.assertEqual(self.call("GET", "/rest")[1]["api_min_version"], "2.000")
        reload = self.call("GET", "/rest/reload", headers=self.login())[1]
        self.assertEqual((reload["server_status"], reload["auditlog_entries"]), ("0", None))
        self.sim.strings = False
        self.assertEqual(self.call("GET", "/rest/reload", headers=self.login())[1]["server_status"], 0)

    def test_perl_data_where_nothing_is_asked_for(self):
        _, text, response = self.call("GET", "/rest", kind=None, accept=None)
        self.assertEqual(response.headers["Content-Type"], "text/x-data-dumper")
        self.assertIn("'api_min_version' => '2.000'", text)

    def test_input_is_relaxed_json(self):
        body = '{"username": "relay", # who\n "password": "secret",}'
        self.assertEqual(self.call("POST", "/rest/login", body)[0], 200)
        self.assertEqual(json.loads(opsview_wire.relaxed('["a,]#", [1,],]')), ["a,]#", [1]])

    def test_malformed_input_is_answered_as_text(self):
        status, text, response = self.call("POST", DETAIL, '{"set_state":', self.login())
        self.assertEqual((status, response.headers["Content-Type"]), (400, "text/plain"))
        self.assertIn("had a problem with your request", text)

    def test_always_return_200_wraps_good_and_bad(self):
        self.assertEqual(self.call("GET", "/rest?alwaysReturn200=1")[1]["rest"]["api_min_version"], "2.000")
        status, answer, _ = self.call("GET", "/rest/info?alwaysReturn200=1")
        self.assertEqual((status, answer["rest"]["message"]), (200, "Not authenticated"))

    def test_detail_of_an_error_may_be_missing(self):
        self.sim.error_detail = False
        self.assertEqual(self.call("GET", "/rest/info")[1], {"message": "Not authenticated"})

    def test_other_verbs_are_unimplemented(self):
        for method, path in (("POST", "/rest"), ("GET", "/rest/login"), ("PUT", "/rest/reload"), ("GET", "/rest/status")):
            self.assertEqual(self.call(method, path, headers=self.login())[0], 405, (method, path))


class OpsviewSubmitting(OpsviewCase):
    options = {"objects": {("db1", ""), ("db1", "Backup"), ("db1", "Disk"), ("db_1", "")}}

    def test_detail_answers_success_and_applies(self):
        self.assertEqual(self.submit(self.login()), (200, {"success": "1"}))
        item = self.sim.state("db1", "Backup")
        self.assertEqual((item.code, item.output, item.perfdata, item.form), (2, "took 91 min", "dur=5460s", "detail"))

    def test_status_answers_with_what_it_selected(self):
        status, answer = self.submit(self.login(), STATUS)
        self.assertEqual((status, answer["summary"]), (200, {"num_hosts": "0", "num_services": "1"}))
        self.assertEqual(answer["list"]["services"], [{"id": "1", "hostname": "db1", "servicename": "Backup"}])

    def test_host_without_a_service_name(self):
        self.submit(self.login(), "/rest/detail?hostname=db1", 1)
        self.submit(self.login(), "/rest/status?hst.hostname=db1", 2)
        self.assertEqual([i.code for i in self.sim.journal if not i.service], [1, 2])

    def test_percent_selects_many(self):
        _, answer = self.submit(self.login(), "/rest/status?svc.hostname=db1&svc.servicename=%25")
        self.assertEqual(answer["summary"]["num_services"], "2")
        self.assertEqual(len(self.sim.journal), 2)

    def test_underscore_may_be_a_wildcard(self):
        self.sim.know("dbx1")
        for wild, count in ((False, "1"), (True, "2")):
            self.sim.underscore = wild
            self.assertEqual(self.submit(self.login(), "/rest/status?hst.hostname=db_1", 0)[1]["summary"]["num_hosts"],
                             count)

    def test_unmatched_has_three_answers(self):
        who, path = self.login(), "/rest/detail?hostname=nobody"
        self.assertEqual(self.submit(who, path)[0], 400)
        self.sim.unmatched = "empty"
        self.assertEqual(self.submit(who, path)[1]["list"], {"hosts": [], "services": []})
        self.sim.unmatched = "success"
        self.assertEqual(self.submit(who, path), (200, {"success": "1"}))
        self.assertEqual(self.sim.journal, [])

    def test_detail_can_be_read(self):
        who = self.login()
        answer = self.call("GET", DETAIL, headers=who)[1]
        self.assertEqual((answer["object"]["hostname"], answer["object"]["servicename"]), ("db1", "Backup"))
        self.assertNotIn("servicename", self.call("GET", "/rest/detail?hostname=db1", headers=who)[1]["object"])
        self.assertEqual(self.call("GET", "/rest/detail?hostname=nobody", headers=who)[0], 400)

    def test_bad_states_and_empty_output_are_refused(self):
        who = self.login()
        self.assertEqual(self.submit(who, result=4)[0], 400)
        self.assertEqual(self.submit(who, "/rest/detail?hostname=db1", 3)[0], 400)
        self.assertEqual(self.submit(who, output="")[0], 400)
        self.assertEqual(self.call("POST", STATUS, {"state": "1"}, who)[0], 400)

    def test_rights_are_403(self):
        self.sim.rights["relay"] = {"RELOADVIEW"}
        self.assertEqual(self.submit(self.login()), (403, {"message": "Access denied"}))


class OpsviewReload(OpsviewCase):
    options = {"objects": {("db1", "")}}

    def test_reload_makes_pending_objects_known(self):
        who = self.login()
        self.sim.configure("db1", "Backup")
        self.assertEqual(self.call("GET", "/rest/reload", headers=who)[1]["configuration_status"], "pending")
        self.assertEqual(self.submit(who)[0], 400)
        before = self.sim.last_updated
        self.assertEqual(self.call("POST", "/rest/reload", {}, who)[1]["server_status"], "0")
        self.assertGreater(self.sim.last_updated, before)
        self.assertEqual(self.submit(who)[0], 200)

    def test_second_reload_is_409_with_messages_in_both_shapes(self):
        who = self.login()
        self.assertEqual(self.call("POST", "/rest/reload?asynchronous=1", {}, who)[0], 200)
        for shape, messages in (("string", "Reload already running"), ("strings", ["Reload already running"])):
            self.sim.messages = shape
            status, answer, _ = self.call("POST", "/rest/reload", {}, who)
            self.assertEqual((status, answer), (409, {"server_status": "1", "messages": messages}))
        self.assertEqual(self.submit(who)[0], 409)

    def test_changelog_may_be_required(self):
        self.sim.changelog_required = True
        who = self.login()
        self.assertEqual(self.call("POST", "/rest/reload", {}, who)[0], 400)
        self.assertEqual(self.call("POST", "/rest/reload?changelog=new+users", {}, who)[0], 200)
        self.assertEqual(self.sim.reloads, ["new users"])

    def test_failed_reload_is_400_with_messages(self):
        self.sim.reload_fails = "no such contact"
        status, answer, _ = self.call("POST", "/rest/reload", {}, self.login())
        self.assertEqual((status, answer["messages"][0]["detail"]), (400, "no such contact"))

    def test_rights_of_reload(self):
        self.sim.rights["relay"] = {"RELOADVIEW"}
        who = self.login()
        self.assertEqual(self.call("GET", "/rest/reload", headers=who)[0], 200)
        self.assertEqual(self.call("POST", "/rest/reload", {}, who)[0], 403)


class OpsviewFaults(OpsviewCase):
    def test_own_faults_hit_once_and_apply_nothing(self):
        who = self.login()
        for fault, status, words in ((self.sim.fail_deadlock, 500, "Deadlock"), (self.sim.fail_redirect, 307, "Opsview"),
                                     (self.sim.fail_html_200, 200, "<html>")):
            fault()
            got, text = self.submit(who)
            self.assertEqual(got, status)
            self.assertIn(words, text)
        self.assertEqual(self.sim.journal, [])
        self.assertEqual(self.submit(who)[0], 200)

    def test_expired_sessions_are_401(self):
        who = self.login()
        self.sim.expire_sessions()
        self.assertEqual(self.submit(who)[0], 401)


class OpsviewProgram(unittest.TestCase):
    def test_runs_as_a_program_with_its_control_endpoint(self):
        tests = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        with subprocess.Popen([sys.executable, "-m", "simulators.opsview", "--control-port", "0"], cwd=tests, text=True,
                              stdout=subprocess.PIPE) as program:
            try:
                url = program.stdout.readline().split()[-1]
                control = program.stdout.readline().split()[-1]
                with urllib.request.urlopen(url + "/rest?alwaysReturn200=1", timeout=10) as answer:
                    self.assertIn("rest", json.load(answer))
                with urllib.request.urlopen(control + "/requests", timeout=10) as answer:
                    self.assertEqual(json.load(answer)[0]["target"], "/rest?alwaysReturn200=1")
            finally:
                program.terminate()


if __name__ == "__main__":
    unittest.main()
