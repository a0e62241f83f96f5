"""GroundWork's API on our HTTP intake, for feeders that were written for GroundWork; and two agents that speak it."""

import base64
import http.client
import json
import urllib.parse

from .groundwork_case import GroundWorkCase, groundwork_destination
from .harness import free_port, request, result, wait_until


class Address:
    def __init__(self, url):
        self.url = url


class GroundWorkIntake(GroundWorkCase):
    users = [{"name": "feeder", "password": "pa:ss", "hosts": ["db*"]}]

    def setUp(self):
        super().setUp()
        self.port = free_port()
        intake = {"type": "http", "listen": f"127.0.0.1:{self.port}", "dialects": ["groundwork"]}
        if self.users:
            intake["user"] = self.users
        self.relay = self.agent([intake])

    def ask(self, method, path, body=None, headers=None):
        return request(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60), method, path, body, headers)

    def login(self, user="feeder", password="pa:ss", app="feed"):
        form = urllib.parse.urlencode({"user": user, "password": password, "gwos-app-name": app})
        return self.ask("POST", "/api/auth/login", form, {"Content-Type": "application/x-www-form-urlencoded",
                                                          "Accept": "text/plain"})

    def submit(self, items, token, path="/api/services", app="feed"):
        body = json.dumps({path.rsplit("/", 1)[1]: items})
        return self.ask("POST", path + "?merge=true&async=false", body,
                        {"Content-Type": "application/json", "Accept": "application/json", "GWOS-API-TOKEN": token,
                         "GWOS-APP-NAME": app})


def service(host="db1", **more):
    return {"hostName": host, "description": "Backup", "monitorStatus": "WARNING", "appType": "NAGIOS",
            "lastCheckTime": "2026-01-05T10:15:00.000+0000", "properties": {"LastPluginOutput": "slow"}, **more}


class GroundWorkFeeder(GroundWorkIntake):
    def test_a_feeder_logs_in_submits_and_logs_out(self):
        reply = self.login()
        self.assertEqual((reply.status, reply.headers["content-type"]), (200, "text/plain"))
        token = reply.body.decode()
        reply = self.submit([service(), service(host="web1"), service(monitorStatus="FINE")], token)
        self.assertEqual((reply.status, reply.json["successful"], reply.json["failed"]), (200, 1, 2))
        self.assertEqual([r["status"] for r in reply.json["results"]], ["success", "failure", "failure"])
        row = self.wait_delivered(1)[0]
        self.assertEqual((row["host"], row["service"], row["state"], row["output"]), ("db1", "Backup", 1, "slow"))
        form = urllib.parse.urlencode({"gwos-app-name": "feed", "gwos-api-token": token})
        self.assertEqual(self.ask("POST", "/api/auth/logout", form, {"Accept": "text/plain"}).status, 200)
        self.assertEqual(self.submit([service()], token).status, 401)
        self.assertEqual(self.ask("POST", "/api/auth/logout", form, {"Accept": "text/plain"}).status, 404)

    def test_logins_in_base64_are_taken(self):
        def b64(text):
            return base64.b64encode(text.encode()).decode()
        self.assertEqual(self.login(b64("feeder"), b64("pa:ss")).status, 200)
        self.assertEqual(self.login(b64("feeder"), "pa:ss").status, 200)

    def test_strangers_wrong_passwords_and_other_applications_get_401(self):
        self.assertEqual(self.login(password="no").status, 401)
        token = self.login().body.decode()
        self.assertEqual(self.submit([service()], token, app="other").status, 401)
        self.assertEqual(self.submit([service()], "made-up").status, 401)
        self.assertEqual(self.ask("POST", "/api/services", "{}").status, 401)
        self.assertEqual(self.delivered(), [])

    def test_xml_is_answered_as_xml(self):
        token = self.login().body.decode()
        reply = self.ask("POST", "/api/hosts", '<hosts><host hostName="db1" monitorStatus="DOWN"/></hosts>',
                         {"Content-Type": "application/xml", "Accept": "application/xml", "GWOS-API-TOKEN": token,
                          "GWOS-APP-NAME": "feed"})
        self.assertEqual((reply.status, reply.headers["content-type"]), (200, "application/xml"))
        self.assertIn(b'successful="1"', reply.body)
        self.assertEqual(self.wait_delivered(1)[0]["state"], 1)

    def test_no_password_or_token_is_logged(self):
        token = self.login().body.decode()
        self.login(password="a-wrong-password")
        self.submit([service()], token)
        log = self.relay.stderr()
        for secret in ("pa:ss", "a-wrong-password", token):
            self.assertNotIn(secret, log)


class GroundWorkChain(GroundWorkIntake):
    users = [{"name": "relay", "password": "secret", "hosts": ["*"]}]

    def edge(self, **options):
        directory = self.directory / "edge"
        directory.mkdir()
        hub = Address(f"http://127.0.0.1:{self.port}")
        return self.agent(destinations=[groundwork_destination(hub, **options)], directory=directory,
                          agent={"hostname": "edge2", "state_dir": str(directory / "state"),
                                 "socket": str(directory / "agent.sock")})

    def test_edge_to_hub_keeps_everything_in_order_over_restarts_of_the_hub(self):
        edge = self.edge(batch_max=7)
        count = 60
        for start in range(0, count, 20):
            self.accept(edge, *(result(n, host=f"h{n % 5}", time=1767608100 + n) for n in range(start, start + 20)))
            self.relay.kill()
            self.relay.start()
        wait_until(lambda: edge.destination("central")["delivered"] == count, "all delivered")
        self.wait_delivered(count)
        for host in range(5):
            outputs = [r["output"] for r in self.delivered() if r["host"] == f"h{host}"]
            self.assertEqual(list(dict.fromkeys(outputs)), [f"n={n}" for n in range(count) if n % 5 == host])
        self.assertEqual({r["time"] for r in self.delivered()}, {1767608100 + n for n in range(count)})
