"""Where the documents disagree or leave open, each reading can be had of a simulator, and is what it says."""

import http.client
import json
import time
import unittest

from .test_groundwork import GroundWorkCase
from .test_nmis import NmisCase
from .test_op5 import Op5Case
from .test_opsview import STATUS, OpsviewCase

OUTAGES = "/en/omk/admin/api/v3/outages"


class Op5Readings(Op5Case):
    def post(self, **more):
        status, text, _ = self.send({"host_name": "db1", "service_description": "Backup", "status_code": "1",
                                     "plugin_output": "x", **more})
        return status, json.loads(text)

    def test_status_code_is_a_string_a_number_or_either(self):
        for kind, taken in (("any", (200, 200)), ("string", (200, 400)), ("number", (400, 200))):
            self.sim.codes = kind
            self.assertEqual((self.post()[0], self.post(status_code=1)[0]), taken, kind)

    def test_long_output_is_taken_cut_or_refused(self):
        self.post(plugin_output="å" * 50)
        self.sim.size_limit = 41
        self.assertEqual(self.post(plugin_output="å" * 50)[0], 200)
        self.assertEqual([len(i.output) for i in self.sim.journal], [50, 20])
        for status in (400, 413, 422):
            self.sim.size_status = status
            self.assertEqual(self.post(plugin_output="å" * 50)[0], status)
        self.assertEqual(len(self.sim.journal), 2)

    def test_unknown_objects_and_what_is_lost_in_silence_have_two_answers_each(self):
        self.sim.objects = {("db1", "Backup")}
        for status in (400, 404):
            self.sim.unknown_status = status
            self.assertEqual(self.post(host_name="x")[0], status)
        self.sim.passive_disabled.add(("db1", "Backup"))
        for status in (200, 400):
            self.sim.silent_status = status
            self.assertEqual(self.post()[0], status)
        self.assertEqual((self.sim.journal, len(self.sim.ignored)), ([], 2))


class GroundWorkReadings(GroundWorkCase):
    def host(self, **more):
        return {"hostName": "db1", "deviceIdentification": "db1", "appType": "RELAY", "monitorStatus": "UP", **more}

    def test_hosts_without_an_application_type_fail_or_are_nagios_s(self):
        bare = {k: v for k, v in self.host().items() if k != "appType"}
        self.assertEqual(self.rows([bare], "/api/hosts")[0][0], "failure")
        self.sim.app_type_required = False
        self.assertEqual(self.rows([bare], "/api/hosts"), [("success", "db1")])
        self.assertEqual(self.sim.hosts["db1"]["appType"], "NAGIOS")

    def test_an_unknown_status_fails_the_item_or_the_batch_or_is_pending(self):
        items = [self.host(), self.host(hostName="db2", monitorStatus="TIRED")]
        self.assertEqual([status for status, _ in self.rows(items, "/api/hosts")], ["success", "failure"])
        self.sim.unknown_status = "500"
        self.assertEqual(self.submit(items, "/api/hosts")[0], 500)
        self.assertNotIn("db2", self.sim.hosts)
        self.sim.unknown_status = "pending"
        self.assertEqual([status for status, _ in self.rows(items, "/api/hosts")], ["success", "success"])
        self.assertEqual(self.sim.hosts["db2"]["monitorStatus"], "PENDING")


class OpsviewReadings(OpsviewCase):
    def test_status_wants_new_state_or_state(self):
        who = self.login()
        for key, taken in (("new_state", (200, 400)), ("state", (400, 200))):
            self.sim.state_key = key
            self.assertEqual(tuple(self.call("POST", STATUS, {name: "1", "comment": "x"}, who)[0]
                                   for name in ("new_state", "state")), taken, key)

    def test_one_way_to_submit_may_be_missing(self):
        who = self.login()
        for form, taken in (("detail", (200, 404)), ("status", (404, 200)), ("both", (200, 200))):
            self.sim.forms = form
            self.assertEqual((self.submit(who)[0], self.submit(who, STATUS)[0]), taken, form)

    def test_submitting_needs_the_right_that_is_set(self):
        who = self.login()
        self.sim.rights["relay"] = {"ACTIONSOME"}
        self.assertEqual(self.submit(who)[0], 200)
        self.sim.submit_right = "ACTIONALL"
        self.assertEqual(self.submit(who)[0], 403)

    def test_a_token_may_be_bound_to_an_address(self):
        who = {**self.login(), "Accept": "application/json"}

        def info(address):
            connection = http.client.HTTPConnection("127.0.0.1", self.sim.port, timeout=10, source_address=(address, 0))
            self.addCleanup(connection.close)
            connection.request("GET", "/rest/info", headers=who)
            return connection.getresponse().status

        self.assertEqual((info("127.0.0.1"), info("127.0.0.2")), (200, 200))
        self.sim.bind_address = True
        self.assertEqual((info("127.0.0.1"), info("127.0.0.2")), (200, 401))

    def test_tokens_have_the_length_that_is_set(self):
        for digits in (32, 40, 64):
            self.sim.token_digits = digits
            self.assertEqual(len(self.login()["X-Opsview-Token"]), digits)


class NmisReadings(NmisCase):
    def outage(self, **more):
        return {"nodes": ["a"], "change_id": "c", "description": "d", "start": 1772402400, "end": 1772416800, **more}

    def setUp(self):
        super().setUp()
        self.client.login()

    def test_a_frequency_is_once_by_itself_or_must_be_given(self):
        self.assertEqual(self.client.ask("POST", OUTAGES, self.outage())[0], 201)
        self.sim.frequency_required = True
        self.assertEqual(self.client.ask("POST", OUTAGES, self.outage())[0], 400)
        self.assertEqual(self.client.ask("POST", OUTAGES, self.outage(frequency="once"))[0], 201)

    def test_current_of_an_outage_to_come_is_null_or_a_word(self):
        now = int(time.time())
        self.sim.add(**self.outage(start=now + 3600, end=now + 7200))
        self.assertIsNone(self.client.ask("GET", OUTAGES)[1][0]["current"])
        self.sim.current_of_future = "pending"
        self.assertEqual(self.client.ask("GET", OUTAGES)[1][0]["current"], "pending")

    def test_times_are_read_as_numbers_or_as_texts(self):
        self.sim.add(**self.outage())
        self.assertEqual(self.client.ask("GET", OUTAGES)[1][0]["start"], 1772402400)
        self.sim.times_as_strings = True
        self.assertEqual(self.client.ask("GET", OUTAGES)[1][0]["start"], "1772402400")

    def test_changes_may_need_a_csrf_header_and_reading_does_not(self):
        self.sim.csrf_header = "X-CSRF-Token"
        self.assertEqual(self.client.ask("POST", OUTAGES, self.outage())[0], 403)
        self.assertEqual(self.client.ask("GET", OUTAGES)[0], 200)

    def test_put_and_the_delete_of_an_unknown_one_have_two_answers_each(self):
        number = self.sim.add(**self.outage())
        for put, delete in ((200, 404), (201, 400)):
            self.sim.put_status, self.sim.unknown_delete_status = put, delete
            self.assertEqual(self.client.ask("PUT", f"{OUTAGES}/{number}", self.outage())[0], put)
            self.assertEqual(self.client.ask("DELETE", f"{OUTAGES}/nobody")[0], delete)


if __name__ == "__main__":
    unittest.main()
