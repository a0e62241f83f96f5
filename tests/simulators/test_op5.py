"""The OP5 simulator by itself: what it says must be what its documented contract says, or it proves nothing."""

import base64
import gzip
import http.client
import json
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.error
import urllib.parse
import urllib.request

from simulators import op5

SERVICE = "/api/command/PROCESS_SERVICE_CHECK_RESULT"
HOST = "/api/command/PROCESS_HOST_CHECK_RESULT"


def basic(user="status_update", password="mysecret"):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def body(host="db1", service="Backup", code="2", output="took 91 min", **more):
    return {"host_name": host, "service_description": service, "status_code": code, "plugin_output": output, **more}


class Op5Case(unittest.TestCase):
    options = {}

    def setUp(self):
        self.sim = op5.Op5(**self.options).start()
        self.addCleanup(self.sim.stop)

    def connect(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.sim.port, timeout=10)
        self.addCleanup(connection.close)
        return connection

    def send(self, value, path=SERVICE, method="POST", auth=None, connection=None):
        connection = connection or self.connect()
        data = value if isinstance(value, bytes) else json.dumps(value)
        connection.request(method, path, data, {"Authorization": auth or basic(), "Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, response.read(), response


class Op5Contract(Op5Case):
    def test_service_result_is_confirmed_and_applied(self):
        status, text, _ = self.send(body(output="took 91 min|dur=5460s"), SERVICE + "?format=json")
        self.assertEqual(status, 200)
        self.assertEqual(json.loads(text), {"result": "Successfully submitted PROCESS_SERVICE_CHECK_RESULT"})
        item = self.sim.journal[0]
        self.assertEqual((item.host, item.service, item.code, item.output, item.perfdata, item.user),
                         ("db1", "Backup", 2, "took 91 min", "dur=5460s", "status_update"))
        self.assertEqual(json.loads(item.raw)["status_code"], "2")
        self.assertEqual(self.sim.requests[0].query, {"format": "json"})

    def test_host_result_needs_no_service(self):
        status, text, _ = self.send({"host_name": "db1", "status_code": 1, "plugin_output": "down"}, HOST)
        self.assertEqual((status, json.loads(text)["result"]),
                         (200, "Successfully submitted PROCESS_HOST_CHECK_RESULT"))
        self.assertEqual(self.sim.state("db1").code, 1)

    def test_module_suffix_is_stripped_at_the_first_dollar(self):
        self.assertEqual(self.send(body(), auth=basic("status_update$LDAP"))[0], 200)
        self.assertEqual(self.send(body(), auth=basic("status_update$Nonsense"))[0], 401)
        self.sim.users["a$b"] = "x"
        self.assertEqual(self.send(body(), auth=basic("a$b", "x"))[0], 401)

    def test_wrong_credentials_get_401_as_json_and_apply_nothing(self):
        for auth in (basic(password="no"), basic("nobody"), "Bearer x", "Basic !!!"):
            status, text, response = self.send(body(), auth=auth)
            self.assertEqual(status, 401)
            self.assertEqual(set(json.loads(text)), {"error", "full_error"})
            self.assertIn("Basic realm=", response.headers["WWW-Authenticate"])
        self.assertEqual(self.sim.journal, [])

    def test_other_methods_get_405_and_other_paths_404(self):
        self.assertEqual(self.send(body(), method="GET")[0], 405)
        self.assertEqual(self.send(body(), method="PUT")[0], 405)
        self.assertEqual(self.send(body(), "/api/command/RESTART_PROGRAM")[0], 404)
        self.assertEqual(self.send(body(), "/")[0], 404)

    def test_malformed_bodies_get_400(self):
        wrong = [b"no json", b"[]", body(code=True), body(code="two"), body(code={}), body(code=1.5), body(host=""),
                 body(service=None),
                 body(output=7), {"host_name": "db1", "status_code": 0}]
        for value in wrong:
            status, text, _ = self.send(value)
            self.assertEqual((status, set(json.loads(text))), (400, {"error", "full_error"}), value)
        self.assertEqual(self.sim.journal, [])

    def test_code_outside_the_range_becomes_unknown(self):
        self.send(body(code="7"))
        self.assertEqual(self.sim.journal[0].code, 3)

    def test_damage_to_output_is_shown_as_the_core_stores_it(self):
        self.send(body(output="  a;b|x=1;2;3\nlong;one\nlong two|y=2\nz=3 \n"))
        item = self.sim.journal[0]
        self.assertEqual((item.output, item.long_output, item.perfdata),
                         ("a:b", "long;one\nlong two", "x=1;2;3 y=2 z=3"))
        self.send(body(output="  \n"))
        self.assertEqual(self.sim.journal[1].output, "(No output returned from plugin)")

    def test_command_file_route_loses_what_follows_a_newline(self):
        self.sim.cut_at_newline = True
        self.send(body(output="first\nsecond"))
        self.assertEqual((self.sim.journal[0].output, self.sim.journal[0].long_output), ("first", ""))

    def test_control_endpoint_shows_the_journal_and_sets_faults(self):
        from simulators.control import serve_control
        control = serve_control(self.sim)
        self.addCleanup(control.server_close)
        self.addCleanup(control.shutdown)
        base = f"http://127.0.0.1:{control.server_port}"
        urllib.request.urlopen(base + "/fail_next", b'{"n": 1, "status": 503, "headers": [["Retry-After", "7"]]}', 10)
        self.assertEqual(self.send(body())[2].headers["Retry-After"], "7")
        self.send(body())
        journal = json.load(urllib.request.urlopen(base + "/journal", timeout=10))
        self.assertEqual([(i["host"], i["service"]) for i in journal], [("db1", "Backup")])
        with self.assertRaises(urllib.error.HTTPError):
            urllib.request.urlopen(base + "/faults", b'{"no_such_fault": 1}', 10)


class Op5Objects(Op5Case):
    options = {"objects": {("db1", "Backup"), ("db1", "")}}

    def test_unknown_and_misspelled_objects_are_refused(self):
        for value in (body(service="backup"), body(host="DB1"), body(host="db1;x")):
            self.assertEqual(self.send(value)[0], 400)
        self.sim.unknown_status = 404
        status, text, _ = self.send(body(service="Other"))
        self.assertEqual((status, set(json.loads(text))), (404, {"error", "full_error"}))
        self.sim.know("db1", "Other")
        self.assertEqual(self.send(body(service="Other"))[0], 200)

    def test_passive_disabled_and_host_code_3_are_lost_in_silence(self):
        self.sim.passive_disabled.add(("db1", "Backup"))
        self.assertEqual(self.send(body())[0], 200)
        self.assertEqual(self.send({"host_name": "db1", "status_code": "3"}, HOST)[0], 200)
        self.assertEqual((self.sim.journal, len(self.sim.ignored)), ([], 2))
        self.sim.silent_status = 400
        self.assertEqual(self.send(body())[0], 400)


class Op5Filter(Op5Case):
    options = {"objects": {("db1", "Backup"), ("db1", ""), ('a"b\\c', "x (y)")}}

    def ask(self, query, columns="name", status=200):
        target = "/api/filter/query?" + urllib.parse.urlencode({"query": query, "columns": columns})
        connection = self.connect()
        connection.request("GET", target, headers={"Authorization": basic()})
        response = connection.getresponse()
        text = response.read()
        self.assertEqual(response.status, status, text)
        return json.loads(text)

    def test_tables_are_asked_in_the_query_language(self):
        self.assertEqual(self.ask('[hosts] name = "db1"'), [{"name": "db1"}])
        self.assertEqual(self.ask('[hosts] name="DB1" or name = "x"'), [])
        self.assertEqual(self.ask('[services] (host.name = "a\\"b\\\\c" and description = "x (y)")', "description"),
                         [{"description": "x (y)"}])
        self.assertEqual(self.ask("[status] all", "accept_passive_service_checks,program_version"),
                         [{"accept_passive_service_checks": 1, "program_version": "1.4.2-naemon"}])

    def test_hosts_name_of_a_service_stands_in_an_object_or_flat(self):
        query = '[services] host.name = "db1"'
        self.assertEqual(self.ask(query, "host.name"), [{"host": {"name": "db1"}}])
        self.sim.nested_columns = False
        self.assertEqual(self.ask(query, "host.name"), [{"host.name": "db1"}])

    def test_last_check_is_that_of_the_newest_applied_result(self):
        self.assertEqual(self.ask("[services] all", "last_check")[1], {"last_check": 0})
        self.send(body())
        self.sim.passive_disabled.add(("db1", "Backup"))
        applied = int(self.sim.journal[0].received)
        self.send(body())
        query = '[services] description = "Backup"'
        self.assertEqual(self.ask(query, "last_check,accept_passive_checks"),
                         [{"last_check": applied, "accept_passive_checks": 0}])

    def test_what_is_no_query_is_refused(self):
        for query in ("", "[hosts]", "[moons] all", '[hosts] name = "x', '[hosts] (name = "x"', "[hosts] name", "x" * 99):
            self.ask(query, status=400)
        self.ask("[hosts] all", "no_such_column", status=400)


class Op5Faults(Op5Case):
    def fails(self, connection=None):
        with self.assertRaises((http.client.HTTPException, OSError)):
            self.send(body(), connection=connection)

    def test_fail_next_answers_n_times_and_applies_nothing(self):
        self.sim.faults.fail_next(2, 503, "busy", "text/plain", [("Retry-After", "9")])
        for _ in range(2):
            status, text, response = self.send(body())
            self.assertEqual((status, text, response.headers["Retry-After"]), (503, b"busy", "9"))
        self.assertEqual(self.send(body())[0], 200)
        self.assertEqual(len(self.sim.journal), 1)

    def test_named_answers_look_as_documented(self):
        self.sim.fail_text_509(retry_after=6)
        self.sim.fail_500_object()
        self.sim.fail_html_200()
        self.sim.fail_redirect(location="https://elsewhere/")
        status, text, response = self.send(body())
        self.assertEqual((status, response.headers["Content-Type"]), (509, "text/plain"))
        status, text, _ = self.send(body())
        self.assertIsInstance(json.loads(text)["full_error"], dict)
        status, text, _ = self.send(body())
        self.assertEqual((status, b"<html>" in text), (200, True))
        status, _, response = self.send(body())
        self.assertEqual((status, response.headers["Location"]), (302, "https://elsewhere/"))

    def test_drop_before_apply_leaves_nothing_and_drop_after_apply_leaves_it_applied(self):
        self.sim.faults.set(drop_before_apply=1)
        self.fails()
        self.assertEqual(len(self.sim.journal), 0)
        self.sim.faults.set(drop_after_apply=1)
        self.fails()
        self.assertEqual(len(self.sim.journal), 1)

    def test_truncated_body_is_an_error_to_the_client(self):
        self.sim.faults.set(truncate_body=1)
        self.fails()

    def test_stalled_headers_last_until_the_client_gives_up(self):
        self.sim.faults.set(stall_headers=1)
        raw = socket.create_connection(("127.0.0.1", self.sim.port), timeout=0.2)
        raw.sendall(f"POST {SERVICE} HTTP/1.1\r\nContent-Length: 2\r\n\r\n{{}}".encode())
        with self.assertRaises(TimeoutError):
            raw.recv(1)
        raw.close()
        self.assertTrue(self.sim.wait(lambda: self.sim._inflight == 0, 10))

    def test_encodings_of_the_answer(self):
        self.sim.faults.set(chunked=True)
        self.assertIn(b"Successfully", self.send(body())[1])
        self.sim.faults.set(chunked=False, gzip="offered")
        self.assertIn(b"Successfully", self.send(body())[1])
        self.sim.faults.set(gzip="always", connection_close=True)
        _, text, response = self.send(body())
        self.assertIn(b"Successfully", gzip.decompress(text))
        self.assertEqual(response.headers["Connection"], "close")

    def test_slow_body_arrives_whole(self):
        self.sim.faults.set(slow_body=1, drip_seconds=0.001)
        self.assertIn(b"Successfully", self.send(body())[1])

    def test_stale_keepalive_closes_on_the_second_request(self):
        self.sim.faults.set(stale_keepalive=1)
        connection = self.connect()
        self.assertEqual(self.send(body(), connection=connection)[0], 200)
        self.fails(connection)
        self.assertEqual(len(self.sim.journal), 1)

    def test_rate_ceiling_and_crowd_get_509(self):
        self.sim.faults.set(rate_limit=3, rate_window=60)
        statuses = [self.send(body())[0] for _ in range(5)]
        self.assertEqual(statuses, [200, 200, 200, 509, 509])
        # An answer is read before its request counts as done.
        self.assertTrue(self.sim.wait(lambda: self.sim._inflight == 0, 10))
        self.sim.faults.set(rate_limit=0, max_inflight=1)
        self.sim.hold()
        answers = []
        crowd = [threading.Thread(target=lambda: answers.append(self.send(body())[0])) for _ in range(2)]
        for thread in crowd:
            thread.start()
        self.assertTrue(self.sim.wait(lambda: len(self.sim.requests) == 7))
        self.sim.release()
        for thread in crowd:
            thread.join()
        self.assertEqual((sorted(answers), self.sim.peak_inflight), ([200, 509], 2))

    def test_what_is_held_is_answered_when_it_is_let_go(self):
        self.sim.hold()
        asked = threading.Thread(target=self.send, args=(body(),), daemon=True)
        asked.start()
        self.assertTrue(self.sim.wait(lambda: len(self.sim.requests) == 1))
        self.assertEqual(self.sim.journal, [])
        self.sim.release()
        asked.join(30)
        self.assertEqual(len(self.sim.journal), 1)

    def test_restart_keeps_the_port_and_drops_connections(self):
        connection = self.connect()
        self.send(body(), connection=connection)
        self.sim.restart()
        self.fails(connection)
        self.assertEqual(self.send(body())[0], 200)
        self.sim.stop()
        self.fails()


class Op5Tls(unittest.TestCase):
    def test_serves_https_with_the_given_certificate(self):
        with tempfile.TemporaryDirectory() as folder:
            cert, key = os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                            "-keyout", key,
                            "-out", cert, "-days", "2", "-subj", "/CN=localhost", "-addext",
                            "subjectAltName=IP:127.0.0.1"],
                           check=True, capture_output=True)
            with op5.Op5(cert=cert, key=key) as sim:
                request = urllib.request.Request(sim.url + SERVICE, json.dumps(body()).encode(),
                                                 {"Authorization": basic()})
                trusting = ssl.create_default_context(cafile=cert)
                self.assertEqual(urllib.request.urlopen(request, context=trusting, timeout=10).status, 200)
                with self.assertRaises(urllib.error.URLError):
                    urllib.request.urlopen(request, context=ssl.create_default_context(), timeout=10)
                self.assertTrue(sim.wait(lambda: sim.handshake_errors, 10))


class Op5Command(unittest.TestCase):
    def test_runs_as_a_program(self):
        program = subprocess.Popen([sys.executable, "-m", "simulators.op5", "--object", "db1;Backup", "--control-port",
                                    "0"],
                                   stdout=subprocess.PIPE, text=True)
        try:
            url = program.stdout.readline().split()[-1]
            program.stdout.readline()
            request = urllib.request.Request(url + SERVICE, json.dumps(body()).encode(), {"Authorization": basic()})
            self.assertEqual(urllib.request.urlopen(request, timeout=10).status, 200)
            self.assertIn("db1;Backup 2 took 91 min", program.stdout.readline())
        finally:
            program.terminate()
            program.wait(10)
            program.stdout.close()


if __name__ == "__main__":
    unittest.main()
