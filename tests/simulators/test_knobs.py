"""The knobs that all simulators have in common, each turned at each of them."""

import gzip
import http.client
import json
import socket
import unittest
import urllib.request

from .control import serve_control
from .groundwork import GroundWork
from .nmis import Nmis
from .op5 import Op5
from .opsview import Opsview


class Knobs:
    """Mixed into a case with `simulator`, `sign_in` and `order`: what applies one item."""

    def setUp(self):
        self.sim = self.simulator().start()
        self.addCleanup(self.sim.stop)
        self.connection = None
        self.signed = self.sign_in()
        self.ask(self.order())
        self.assertEqual(len(self.sim.journal), 1)
        self.sim.journal.clear()

    def open(self):
        self.hang_up()
        self.connection = http.client.HTTPConnection(self.sim.host, self.sim.port, timeout=10)

    def hang_up(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def ask(self, order):
        """(status, body as sent, headers) of (method, target, body, headers)."""
        if not self.connection:
            self.open()
            self.addCleanup(self.hang_up)
        method, target, body, headers = order
        try:
            self.connection.request(method, target, body, headers)
            response = self.connection.getresponse()
            return response.status, response.read(), response.headers
        except BaseException:
            self.hang_up()
            raise

    def good(self):
        status, body, headers = self.ask(self.order())
        self.assertIn(status, (200, 201))
        return body, headers

    def faulty(self, fault, applied):
        self.sim.faults.set(**{fault: 1})
        with self.assertRaises((OSError, http.client.HTTPException)):
            self.ask(self.order())
        self.assertEqual(len(self.sim.journal), applied)
        self.good()
        self.assertEqual(len(self.sim.journal), applied + 1)

    def test_drop_before_apply(self):
        self.faulty("drop_before_apply", 0)

    def test_drop_after_apply(self):
        self.faulty("drop_after_apply", 1)

    def test_truncate_body(self):
        self.faulty("truncate_body", 1)

    def test_stale_keepalive(self):
        self.faulty("stale_keepalive", 0)

    def test_hang_up(self):
        self.hang_up()
        self.faulty("hang_up", 0)

    def test_stall_headers_until_the_client_gives_up(self):
        self.open()
        self.addCleanup(self.hang_up)
        self.connection.timeout = 0.2
        self.faulty_once("stall_headers")
        self.good()

    def faulty_once(self, fault):
        self.sim.faults.set(**{fault: 1})
        with self.assertRaises(OSError):
            self.ask(self.order())

    def test_endless_headers_and_endless_body_do_not_end(self):
        for fault, applied in (("endless_headers", 1), ("endless_body", 2)):
            self.sim.faults.set(**{fault: 1})
            with socket.create_connection((self.sim.host, self.sim.port), 10) as raw:
                method, target, body, headers = self.order()
                body = (body or "").encode() if isinstance(body, str) else body or b""
                head = [f"{method} {target} HTTP/1.1", f"Content-Length: {len(body)}",
                        *(f"{k}: {v}" for k, v in headers.items()), "", ""]
                raw.sendall("\r\n".join(head).encode() + body)
                seen = 0
                while seen < 4 << 20:
                    part = raw.recv(1 << 16)
                    self.assertTrue(part, fault)
                    seen += len(part)
            self.assertEqual(len(self.sim.journal), applied)
        self.good()

    def test_slow_body_arrives_whole(self):
        self.sim.faults.set(slow_body=1, drip_seconds=0.0001)
        self.good()

    def test_latency(self):
        self.sim.faults.set(latency_ms=1)
        self.good()

    def test_fail_next_answers_n_times_and_applies_nothing(self):
        self.sim.faults.fail_next(2, 503, "busy", "text/plain", [("Retry-After", "7")])
        for _ in range(2):
            status, body, headers = self.ask(self.order())
            self.assertEqual((status, body, headers["Retry-After"]), (503, b"busy", "7"))
        self.assertEqual(self.sim.journal, [])
        self.good()

    def test_aim_spares_other_requests(self):
        self.sim.faults.set(aim="POST /somewhere/else")
        self.sim.faults.fail_next(-1, 503)
        self.good()
        method, target, _, _ = self.order()
        self.sim.faults.set(aim=f"{method} {target[:8]}")
        self.assertEqual(self.ask(self.order())[0], 503)

    def test_encodings_of_answers(self):
        plain = len(self.good()[0])
        self.sim.faults.set(chunked=True, gzip="always", connection_close=True, content_type="x/y")
        body, headers = self.good()
        self.assertEqual(len(gzip.decompress(body)), plain)
        self.assertEqual((headers["Transfer-Encoding"], headers["Connection"], headers["Content-Type"]),
                         ("chunked", "close", "x/y"))
        self.sim.faults.set(gzip="offered")
        self.assertIsNone(self.good()[1]["Content-Encoding"])

    def test_a_crowd_is_turned_away(self):
        self.sim.faults.set(rate_limit=1, rate_window=3600.0)
        status, _, _ = self.ask(self.order())
        self.assertIn(status, (503, 509))
        self.assertEqual(self.sim.journal, [])

    def test_max_inflight(self):
        self.sim.faults.set(max_inflight=1)
        self.good()
        self.sim._inflight += 1  # another request that is under way
        self.assertIn(self.ask(self.order())[0], (503, 509))
        self.sim._inflight -= 1

    def test_a_restart_drops_connections_and_sessions(self):
        self.sim.restart()
        self.hang_up()
        if self.signed:
            self.assertNotIn(self.ask(self.order())[0], (200, 201))
            self.sign_in()
        self.good()

    def test_expire_sessions_is_there_for_who_has_them(self):
        self.sim.expire_sessions()
        if self.signed:
            self.assertNotIn(self.ask(self.order())[0], (200, 201))

    def test_the_journal_has_time_and_raw_body_of_every_item(self):
        self.good()
        item = self.sim.journal[0]
        self.assertGreater(item.received, 1.6e9)
        self.assertTrue(item.raw)

    def test_control_endpoint_turns_every_knob(self):
        control = serve_control(self.sim)
        self.addCleanup(control.server_close)
        self.addCleanup(control.shutdown)

        def post(path, value):
            request = urllib.request.Request(f"http://127.0.0.1:{control.server_port}{path}", json.dumps(value).encode())
            return json.load(urllib.request.urlopen(request, timeout=10))

        self.assertEqual(post("/fail_next", {"n": 1, "status": 418}), {"ok": True})
        self.assertEqual(self.ask(self.order())[0], 418)
        name, value = self.KNOB
        post("/set", {name: value})
        self.assertEqual(getattr(self.sim, name), value)
        with self.assertRaises(urllib.error.HTTPError):
            post("/set", {"_held": True})
        post("/expire_sessions", {})
        if self.signed:
            self.assertNotIn(self.ask(self.order())[0], (200, 201))


class Op5Knobs(Knobs, unittest.TestCase):
    KNOB = ("unknown_status", 404)
    simulator = Op5

    def sign_in(self):
        return False

    def order(self):
        body = {"host_name": "db1", "service_description": "Backup", "status_code": "1", "plugin_output": "x"}
        return ("POST", "/api/command/PROCESS_SERVICE_CHECK_RESULT?format=json", json.dumps(body),
                {"Authorization": "Basic c3RhdHVzX3VwZGF0ZTpteXNlY3JldA==", "Content-Type": "application/json"})


class GroundWorkKnobs(Knobs, unittest.TestCase):
    KNOB = ("counters", "success")
    simulator = GroundWork

    def sign_in(self):
        _, token, _ = self.ask(("POST", "/api/auth/login", "user=cmVsYXk%3D&password=c2VjcmV0&gwos-app-name=a",
                                {"Accept": "text/plain"}))
        self.token = token.decode()
        return True

    def order(self):
        item = {"hostName": "db1", "description": "Backup", "monitorStatus": "OK", "appType": "RELAY",
                "deviceIdentification": "db1"}
        return ("POST", "/api/services", json.dumps({"services": [item]}),
                {"GWOS-API-TOKEN": self.token, "GWOS-APP-NAME": "a", "Accept": "application/json",
                 "Content-Type": "application/json"})


class OpsviewKnobs(Knobs, unittest.TestCase):
    KNOB = ("unmatched", "empty")
    simulator = Opsview
    JSON = {"Accept": "application/json", "Content-Type": "application/json"}

    def sign_in(self):
        _, body, _ = self.ask(("POST", "/rest/login", '{"username":"relay","password":"secret"}', self.JSON))
        self.token = json.loads(body)["token"]
        return True

    def order(self):
        return ("POST", "/rest/detail?hostname=db1&servicename=Backup", '{"set_state":{"result":1,"output":"x"}}',
                {**self.JSON, "X-Opsview-Username": "relay", "X-Opsview-Token": self.token})


class NmisKnobs(Knobs, unittest.TestCase):
    KNOB = ("put_status", 200)
    simulator = Nmis

    def sign_in(self):
        _, _, headers = self.ask(("POST", "/en/omk/admin/login", "username=relay&password=mysecret",
                                  {"Content-Type": "application/x-www-form-urlencoded"}))
        self.cookie = "; ".join(c.split(";")[0] for c in headers.get_all("Set-Cookie"))
        return True

    def order(self):
        body = {"change_id": "c", "description": "d", "frequency": "once", "nodes": ["a"], "start": 1, "end": 2}
        return ("POST", "/en/omk/admin/api/v3/outages", json.dumps(body),
                {"Cookie": self.cookie, "Accept": "application/json", "Content-Type": "application/json"})


if __name__ == "__main__":
    unittest.main()
