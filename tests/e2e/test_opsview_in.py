"""Scripts written for Opsview's REST API hand in to the agent, in every format; and one agent hands in to the other."""

import http.client
import json
import urllib.parse

from .harness import free_port, request, result, wait_until
from .opsview_case import OpsviewCase

JSON = {"Content-Type": "application/json", "Accept": "application/json"}
DETAIL = "/rest/detail?hostname=db1&servicename=Backup"


class OpsviewIn(OpsviewCase):
    def hub(self, **more):
        self.port = free_port()
        users = [{"name": "ann", "password": "secret-word", "hosts": ["db*"]}]
        intake = {"type": "http", "listen": f"127.0.0.1:{self.port}", "dialects": ["opsview"], "user": users, **more}
        directory = self.directory / "hub"
        directory.mkdir(exist_ok=True)
        agent = {"state_dir": str(directory / "state"), "socket": str(directory / "hub.sock")}
        return self.agent([intake], directory=directory, agent=agent)

    def call(self, method, path, body=None, headers=None):
        data = json.dumps(body) if isinstance(body, (dict, list)) else body
        return request(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30), method, path, data,
                       JSON if headers is None else headers)

    def login(self):
        reply = self.call("POST", "/rest/login", {"username": "ann", "password": "secret-word"})
        self.assertEqual(reply.status, 200, reply.body)
        return {**JSON, "X-Opsview-Username": "ann", "X-Opsview-Token": reply.json["token"]}

    def test_token_has_40_hex_digits_and_leads_to_delivery(self):
        self.hub()
        who = self.login()
        self.assertRegex(who["X-Opsview-Token"], "^[0-9a-f]{40}$")
        reply = self.call("POST", DETAIL, {"set_state": {"result": 2, "output": "late|x=1"}}, who)
        self.assertEqual((reply.status, reply.json), (200, {"success": "1"}))
        row = self.wait_delivered(1)[0]
        self.assertEqual((row["host"], row["service"], row["state"], row["output"], row["perfdata"]),
                         ("db1", "Backup", 2, "late", "x=1"))

    def test_status_names_what_was_set(self):
        self.hub()
        path = "/rest/status?" + urllib.parse.urlencode({"svc.hostname": "db1", "svc.servicename": "Backup",
                                                         "new_state": 1, "comment": "slow"})
        reply = self.call("POST", path, None, self.login())
        self.assertEqual(reply.json["list"]["services"], [{"hostname": "db1", "servicename": "Backup"}])
        self.assertEqual(self.wait_delivered(1)[0]["output"], "slow")

    def test_two_bare_headers_as_curl_sends_them_are_enough(self):
        self.hub()
        who = {k: v for k, v in self.login().items() if k.startswith("X-")}
        reply = self.call("GET", "/rest/user", None, who)
        self.assertEqual(reply.headers["content-type"], "text/x-data-dumper")
        self.assertIn(b"'name' => 'ann'", reply.body)

    def test_xml_and_perl_are_read_and_answered(self):
        self.hub()
        who = {k: v for k, v in self.login().items() if k.startswith("X-")}
        for kind, body, answer in (("text/xml", '<opt><set_state result="1" output="x"/></opt>', b'success="1"'),
                                   ("text/x-data-dumper", "{set_state => {result => 1, output => 'x'}}",
                                    b"'success' => '1'")):
            reply = self.call("POST", DETAIL, body, {**who, "Content-Type": kind})
            self.assertEqual(reply.status, 200, reply.body)
            self.assertIn(answer, reply.body)
        self.wait_delivered(2)

    def test_perl_that_is_no_literal_is_refused(self):
        self.hub()
        reply = self.call("POST", DETAIL, "{set_state => {result => 1, output => `id`}}",
                          {**self.login(), "Content-Type": "text/x-data-dumper"})
        self.assertEqual(reply.status, 400)
        self.assertEqual(self.delivered(), [])

    def test_strangers_wrong_passwords_and_old_tokens_are_401(self):
        self.hub()
        self.assertEqual(self.call("GET", "/rest").status, 200)
        self.assertEqual(self.call("POST", "/rest/login", {"username": "ann", "password": "x"}).status, 401)
        who = self.login()
        self.assertEqual(self.call("GET", "/rest/info", None, who).status, 200)
        self.assertEqual(self.call("DELETE", "/rest/login", None, who).status, 200)
        for headers in (who, JSON, {**who, "X-Opsview-Username": "bob"}):
            self.assertEqual(self.call("POST", DETAIL, {"set_state": {"result": 0, "output": "x"}}, headers).status, 401)

    def test_user_speaks_for_its_own_hosts_alone(self):
        self.hub()
        reply = self.call("POST", "/rest/detail?hostname=web1", {"set_state": {"result": 0, "output": "x"}}, self.login())
        self.assertEqual((reply.status, reply.json["message"]), (403, "Access denied"))

    def test_reload_is_always_up_to_date(self):
        self.hub()
        status = self.call("GET", "/rest/reload", None, self.login()).json
        self.assertEqual((status["server_status"], status["configuration_status"]), ("0", "uptodate"))

    def test_edge_hands_in_to_hub_in_both_forms_and_survives_its_restart(self):
        hub = self.hub()
        for n, form in enumerate(("detail", "status")):
            destination = {"name": "central", "type": "opsview", "url": f"http://127.0.0.1:{self.port}", "username": "ann",
                           "password": "secret-word", "submit": form, "backlog": "all", "retry_min": "20ms",
                           "retry_max": "200ms", "spread": "0s"}
            directory = self.directory / form
            directory.mkdir()
            edge = self.agent(destinations=[destination], directory=directory,
                              agent={"state_dir": str(directory / "state"), "socket": str(directory / "edge.sock")})
            self.accept(edge, *(result(f"{form}-{i}") for i in range(10)))
            self.wait_delivered(20 * n + 10)
            hub.restart()
            self.accept(edge, *(result(f"{form}-{i}") for i in range(10, 20)))
            edge.wait_destination("central", lambda d: d["delivered"] == 20)
            # Delivered to the hub is on the hub's disk; in its file a little later.
            wait_until(lambda: f"n={form}-19" in self.outputs(), "the newest result in the hub's file")
            mine = [o for o in self.outputs() if form in o]
            self.assertEqual(list(dict.fromkeys(mine)), [f"n={form}-{i}" for i in range(20)])
