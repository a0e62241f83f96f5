"""The GroundWork simulator by itself: what it says must be what its documented contract says, or it proves nothing."""

import base64
import http.client
import json
import unittest
import urllib.parse
import xml.etree.ElementTree as ET

from simulators import groundwork

JSON = "application/json"


def b64(text):
    return base64.b64encode(text.encode()).decode()


def service(host="db1", name="Backup", status="WARNING", output="took 91 min", **more):
    item = {"hostName": host, "description": name, "monitorStatus": status, "appType": "NAGIOS",
            "deviceIdentification": host, "lastCheckTime": "2026-01-05T10:15:00.000+0000",
            "properties": {"LastPluginOutput": output, "PerformanceData": "dur=5460s"}}
    item.update(more)
    return item


def host(name="db1", status="UP", **more):
    item = {"hostName": name, "monitorStatus": status, "appType": "NAGIOS", "deviceIdentification": name,
            "properties": {"LastPluginOutput": "PING DOWN" if status == "DOWN" else "PING OK"}}
    item.update(more)
    return item


class GroundWorkCase(unittest.TestCase):
    def setUp(self):
        self.sim = groundwork.GroundWork().start()
        self.addCleanup(self.sim.stop)
        self.token = None

    def ask(self, method, path, body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.sim.port, timeout=10)
        try:
            connection.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items() if v is not None})
            response = connection.getresponse()
            return response.status, response.read().decode(), response
        finally:
            connection.close()

    def login(self, user=None, password=None, accept="text/plain", app="relay", path="/api/auth/login"):
        form = urllib.parse.urlencode({"user": user or b64("relay"), "password": password or b64("secret"),
                                       "gwos-app-name": app})
        status, text, _ = self.ask("POST", path, form, Content_Type="application/x-www-form-urlencoded", Accept=accept)
        if status == 200:
            self.token = text.strip()
        return status

    def submit(self, items, path="/api/services", kind=JSON, accept=JSON, app="relay", token=None, raw=None):
        if self.token is None:
            self.assertEqual(self.login(), 200)
        key = path.split("?")[0].rsplit("/", 1)[1]
        body = raw if raw is not None else json.dumps({key: items})
        return self.ask("POST", path, body, Content_Type=kind, Accept=accept, GWOS_API_TOKEN=token or self.token,
                        GWOS_APP_NAME=app)

    def rows(self, items, path="/api/services", **how):
        status, text, _ = self.submit(items, path, **how)
        self.assertEqual(status, 200, text)
        return [(row["status"], row["entity"]) for row in json.loads(text)["results"]]


class Logins(GroundWorkCase):
    def test_login_takes_the_encoding_that_is_set(self):
        self.assertEqual(self.login(), 200)
        self.assertEqual(self.login("relay", "secret"), 401)
        self.sim.login_encoding = "plain"
        self.assertEqual(self.login("relay", "secret"), 200)
        self.sim.login_encoding = "base64_user"
        self.assertEqual(self.login(b64("relay"), "secret"), 200)

    def test_bad_login_is_401_or_404_with_text(self):
        self.assertEqual(self.login(password=b64("no")), 401)
        self.sim.login_refusal = 404
        self.assertEqual(self.login(password=b64("no")), 404)
        self.assertEqual(self.ask("POST", "/api/auth/login", "user=x")[0], 400)

    def test_accept_must_fit(self):
        self.assertEqual(self.login(accept="application/json"), 406)
        self.sim.login_accept = "application/xml"
        self.assertEqual(self.login(), 406)
        self.assertEqual(self.login(accept="application/xml"), 200)

    def test_no_login_while_the_synchroniser_starts(self):
        self.sim.synchronising = True
        self.assertEqual(self.login(), 503)

    def test_token_belongs_to_its_application_and_dies_when_idle(self):
        self.assertEqual(self.submit([service()])[0], 200)
        self.assertEqual(self.submit([service()], app="other")[0], 401)
        self.sim.advance(28000)
        self.assertEqual(self.submit([service()])[0], 200)
        self.sim.advance(28000)
        self.assertEqual(self.submit([service()])[0], 200)
        self.sim.advance(28801)
        self.assertEqual(self.submit([service()])[0], 401)

    def test_too_many_tokens_end_all_of_them_and_so_does_a_restart(self):
        self.sim.max_tokens = 2
        self.login()
        first = self.token
        self.login()
        self.login()
        self.assertEqual(self.submit([], token=first)[0], 401)
        self.assertEqual(self.submit([])[0], 200)
        self.sim.restart()
        self.assertEqual(self.submit([])[0], 401)

    def test_logout_ends_the_token(self):
        self.login()
        form = urllib.parse.urlencode({"gwos-app-name": "relay", "gwos-api-token": self.token})
        self.assertEqual(self.ask("POST", "/api/auth/logout", form)[0], 406)
        self.assertEqual(self.ask("POST", "/api/auth/validatetoken", form, Accept="text/plain")[1], "true")
        self.assertEqual(self.ask("POST", "/api/auth/logout", form, Accept="text/plain")[0], 200)
        self.assertEqual(self.ask("POST", "/api/auth/logout", form, Accept="text/plain")[0], 404)
        self.assertEqual(self.ask("POST", "/api/auth/validatetoken", form, Accept="text/plain")[1], "false")

    def test_missing_headers_are_400_and_bodies_come_only_for_an_exact_accept(self):
        status, text, _ = self.ask("POST", "/api/services", "{}", Content_Type=JSON, Accept=JSON)
        self.assertEqual((status, json.loads(text)["status"]), (400, 400))
        for accept, body in ((JSON, '{"error": "Unauthorized", "status": 401}'), ("application/xml",
                             '<error error="Unauthorized" status="401"/>'), (JSON + ", */*", ""), (None, "")):
            status, text, _ = self.ask("POST", "/api/services", "{}", Accept=accept, GWOS_API_TOKEN="x",
                                       GWOS_APP_NAME="y")
            self.assertEqual((status, text), (401, body))

    def test_a_user_who_may_only_read_gets_401_for_writing(self):
        self.sim.read_only.add("relay")
        self.assertEqual(self.submit([service()])[0], 401)
        self.assertEqual(self.ask("GET", "/api/hosts", Accept=JSON, GWOS_API_TOKEN=self.token,
                                  GWOS_APP_NAME="relay")[0], 404)


class Batches(GroundWorkCase):
    def test_results_document_counts_and_names_every_item(self):
        status, text, _ = self.submit([service(), service(name="")])
        document = json.loads(text)
        self.assertEqual((status, document["successful"], document["failed"], document["warning"], document["count"]),
                         (200, 1, 1, 0, 2))
        self.assertEqual((document["entityType"], document["operation"]), ("ServiceStatus", "Update"))
        self.assertEqual([r["entity"] for r in document["results"]], ["db1:Backup", "(Unknown)"])
        item = self.sim.journal[0]
        self.assertEqual((item.host, item.service, item.status, item.output, item.perfdata, item.check_time),
                         ("db1", "Backup", "WARNING", "took 91 min", "dur=5460s", 1767608100.0))

    def test_counters_by_the_older_document_or_none(self):
        self.sim.counters = "success"
        document = json.loads(self.submit([service()])[1])
        self.assertEqual((document["success"], document["failure"]), (1, 0))
        self.sim.counters = "none"
        self.assertNotIn("count", json.loads(self.submit([service()])[1]))

    def test_xml_in_and_out(self):
        raw = ('<hosts><host hostName="a&amp;b" monitorStatus="DOWN" appType="NAGIOS" deviceIdentification="x">'
               '<properties><property name="LastPluginOutput" value="DOWN&#10;now"/></properties></host></hosts>')
        status, text, _ = self.submit(None, "/api/hosts", "application/xml", "application/xml", raw=raw)
        root = ET.fromstring(text)
        self.assertEqual((status, root.tag, root.get("count")), (200, "results", "1"))
        self.assertEqual(root[0].get("entity"), "a&b")
        item = self.sim.journal[0]
        self.assertEqual((item.stored, item.output), ("UNSCHEDULED DOWN", "UNSCHEDULED DOWN\nnow"))

    def test_bare_array_of_7_0_is_taken(self):
        self.assertEqual(self.rows(None, raw=json.dumps([service()])), [("success", "db1:Backup")])

    def test_bodies_that_are_no_list_are_400_and_empty_lists_are_not(self):
        for raw in ("", "{", "{}", '{"services":null}', "[1]", "7"):
            self.assertEqual(self.submit(None, raw=raw)[0], 400, raw)
        self.assertEqual(self.rows([]), [])

    def test_items_fail_by_themselves(self):
        bad = [service(status="FINE"), service(host="new", deviceIdentification=""), service(name="n" * 255),
               service(name="New", appType=""), service(output="x" * 16385), service(lastCheckTime="yesterday"),
               service(appType="NONSENSE")]
        rows = self.rows([*bad, service()])
        self.assertEqual([status for status, _ in rows], ["failure"] * len(bad) + ["success"])
        self.assertEqual(len(self.sim.journal), 1)

    def test_what_another_application_owns_is_a_warning_for_services_and_text_for_hosts(self):
        self.sim.own("db1", "Backup")
        self.assertEqual(self.rows([service()]), [("warning", "db1:Backup")])
        self.assertEqual(self.rows([host()], "/api/hosts"), [("success", "db1")])
        self.assertEqual(self.sim.journal, [])

    def test_merge_unifies_case_and_no_merge_warns(self):
        self.rows([host("db1")], "/api/hosts")
        self.assertEqual(self.rows([host("DB1")], "/api/hosts?merge=false"), [("warning", "DB1")])
        self.assertEqual(self.rows([host("DB1")], "/api/hosts?merge=true"), [("success", "DB1")])
        self.assertEqual(sorted(self.sim.hosts), ["db1"])

    def test_older_times_overwrite_newer_ones_and_seconds_are_cut(self):
        self.rows([service(lastCheckTime="2026-01-05T10:15:00.900+0100")])
        self.rows([service(lastCheckTime="1700000000999", output="older")])
        self.assertEqual([i.check_time for i in self.sim.journal], [1767604500.0, 1700000000.0])

    def test_rows_can_be_reversed_short_or_more(self):
        items = [service(name="a"), service(name="b")]
        self.sim.order = "reversed"
        self.assertEqual([e for _, e in self.rows(items)], ["db1:b", "db1:a"])
        self.sim.order, self.sim.extra_rows = "sent", True
        self.assertEqual(len(self.rows(items)), 3)
        self.sim.extra_rows, self.sim.short_rows = False, 1
        self.assertEqual([e for _, e in self.rows(items)], ["db1:b"])

    def test_poison_fails_the_whole_batch_and_applies_nothing(self):
        self.sim.poison = ("BOOM",)
        self.assertEqual(self.submit([service(), service(name="b", output="BOOM")])[0], 500)
        self.assertEqual(self.sim.journal, [])

    def test_async_tells_of_a_job_and_429_when_full(self):
        self.assertEqual(json.loads(self.submit([service()], "/api/services?async=true")[1])["entityType"],
                         "Service Async")
        self.sim.async_full = True
        self.assertEqual(self.submit([service()], "/api/services?async=true")[0], 429)

    def test_two_results_of_one_subject_in_a_batch_are_noted(self):
        self.rows([service(), service()])
        self.assertEqual(self.sim.twice, [("db1", "Backup")])

    def test_foundation_path_is_the_same_api(self):
        self.assertEqual(self.rows([service()], "/foundation-webapp/api/services"), [("success", "db1:Backup")])


class Hosts(GroundWorkCase):
    def setUp(self):
        super().setUp()
        self.rows([host("db1"), host("Web 1", "DOWN", lastCheckTime="2026-01-05T10:15:00.000+0000")], "/api/hosts")

    def get(self, path, method="GET"):
        status, text, _ = self.ask(method, path, Accept=JSON, Content_Type=JSON, GWOS_API_TOKEN=self.token,
                                   GWOS_APP_NAME="relay")
        return status, json.loads(text) if text else None

    def test_hosts_are_listed_got_and_asked_for(self):
        self.assertEqual([h["hostName"] for h in self.get("/api/hosts")[1]["hosts"]], ["Web 1", "db1"])
        self.assertEqual(self.get("/api/hosts/Web%201")[1]["monitorStatus"], "UNSCHEDULED DOWN")
        self.assertEqual(self.get("/api/hosts/Web%201")[1]["lastCheckTime"], "2026-01-05T03:15:00.000-0700")
        query = urllib.parse.quote("hostName like 'db%'")
        self.assertEqual([h["hostName"] for h in self.get("/api/hosts?query=" + query)[1]["hosts"]], ["db1"])
        self.assertEqual(self.get("/api/hosts?first=5")[0], 404)
        self.assertEqual(self.get("/api/hosts/nobody")[0], 404)

    def test_names_complete_in_both_shapes(self):
        self.assertEqual(self.get("/api/hosts/autocomplete/*")[1], {"names": ["db1", "Web 1"]})
        self.sim.names_as_objects = True
        self.assertEqual(self.get("/api/hosts/autocomplete/DB")[1]["names"][0]["canonicalName"], "db1")
        self.assertEqual(self.get("/api/hosts/autocomplete/zzz")[0], 404)

    def test_rename_and_delete(self):
        self.assertEqual(self.get("/api/hosts/rename?oldHostName=db1&newHostName=db2", "PUT")[1]["hostName"], "db2")
        self.assertEqual(self.get("/api/hosts/rename?oldHostName=db1&newHostName=db3", "PUT")[0], 404)
        document = self.get("/api/hosts/db2,db1", "DELETE")[1]
        self.assertEqual([r["status"] for r in document["results"]], ["success", "warning"])

    def test_filter_by_groups_on_either_path(self):
        self.sim.groups["web"] = ["Web 1"]
        self.assertEqual(len(self.get("/api/hosts/filter?hostGroupNames=web,none")[1]["hosts"]), 1)
        self.sim.filter_path = "filter/hostgroups"
        self.assertEqual(len(self.get("/api/hosts/filter/hostgroups?hostGroupNames=web")[1]["hosts"]), 1)


if __name__ == "__main__":
    unittest.main()
