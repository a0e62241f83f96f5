"""Bad input is normal: it is refused in words, in bounded time and memory, and the next one is served."""

import http.client
import json
import random
import socket
import struct

from . import wire
from .harness import Case, free_port, request, result, wait_until

GOOD = b'{"host":"db1","service":"Backup","state":0,"output":"good"}\n'


class RefusedLines(Case):
    """Each bad line is answered with its number, the field and the fragment; the lines around it are taken."""

    def check(self, bad, *words, form=wire.JSON):
        agent = self.agent()
        before, after = (wire.encode(form, "db1", "Backup", 0, text) for text in ("before", "after"))
        replies = wire.talk(agent.socket, before + bad + after)
        self.assertEqual([r["ok"] for r in replies], [True, False, True], replies)
        for word in ("line 2", *words):
            self.assertIn(word, replies[1]["error"])
        self.wait_delivered(2)
        self.assertEqual(self.outputs(), ["before", "after"])
        self.assertEqual(agent.intake("unix")["refused"], 1)

    def test_state_out_of_range(self):
        self.check(b'{"host":"db1","service":"Backup","state":9,"output":"x"}\n', "state", "9")

    def test_state_that_is_no_name(self):
        self.check(b'{"host":"db1","service":"Backup","state":"FINE","output":"x"}\n', "state", "FINE")

    def test_unknown_key(self):
        self.check(b'{"host":"db1","state":0,"output":"x","sevrice":"Backup"}\n', "sevrice")

    def test_missing_state(self):
        self.check(b'{"host":"db1","service":"Backup","output":"x"}\n', "state")

    def test_host_too_long(self):
        self.check(json.dumps(result(host="h" * 256)).encode() + b"\n", "host")

    def test_control_character_in_a_name(self):
        self.check(b'{"host":"db\\u0001","state":0,"output":"x"}\n', "host")

    def test_id_too_long(self):
        self.check(json.dumps(result(id="i" * 65)).encode() + b"\n", "id")

    def test_time_that_is_none(self):
        self.check(json.dumps(result(time="yesterday")).encode() + b"\n", "time", "yesterday")

    def test_ttl_that_is_none(self):
        self.check(json.dumps(result(ttl="soon")).encode() + b"\n", "ttl", "soon")

    def test_json_that_ends_early(self):
        self.check(b'{"host":"db1","state":\n')

    def test_json_that_is_no_object(self):
        self.check(b'[1,2,3]\n')

    def test_deep_json(self):
        self.check(b'{"host":' + b"[" * 20000 + b"]" * 20000 + b"}\n")

    def test_invalid_utf8_in_a_name(self):
        self.check(b'{"host":"db\xff1","state":0,"output":"x"}\n')

    def test_nul_bytes(self):
        self.check(b'{"host":"db1"\x00,"state":0}\n')

    def test_other_nagios_command_by_name(self):
        self.check(b"[1700000000] SCHEDULE_HOST_DOWNTIME;db1;1;2;1;0;1;me;x\n", "SCHEDULE_HOST_DOWNTIME",
                   form=wire.NAGIOS)

    def test_nagios_code(self):
        self.check(b"[1700000000] PROCESS_SERVICE_CHECK_RESULT;db1;Backup;7;x\n", "7", form=wire.NAGIOS)

    def test_nagios_host_code_3(self):
        self.check(b"[1700000000] PROCESS_HOST_CHECK_RESULT;db1;3;x\n", "3", form=wire.NAGIOS)

    def test_nagios_time(self):
        self.check(b"[today] PROCESS_HOST_CHECK_RESULT;db1;0;x\n", "today", form=wire.NAGIOS)

    def test_nagios_too_few_fields(self):
        self.check(b"[1700000000] PROCESS_SERVICE_CHECK_RESULT;db1\n", form=wire.NAGIOS)

    def test_send_nsca_line_without_tabs(self):
        self.check(b"db1 Backup 0 x\n", form=wire.NSCA)

    def test_send_nsca_three_fields_whose_second_is_no_state(self):
        self.check(b"db1\tBackup\t0\n", "Backup", form=wire.NSCA)


class Streams(Case):
    def survives(self, agent):
        self.assertEqual([r["ok"] for r in wire.talk(agent.socket, GOOD)], [True])
        self.assertTrue(agent.running())

    def test_invalid_utf8_in_output_is_replaced(self):
        agent = self.agent()
        reply = wire.talk(agent.socket, b'{"host":"db1","state":0,"output":"a\xff\xfeb"}\n')
        self.assertTrue(reply[0]["ok"], reply)
        self.assertRegex(self.wait_delivered(1)[0]["output"], "^a\ufffd+b$")

    def test_a_longer_line_than_the_limit_is_refused_and_the_next_is_read(self):
        agent = self.agent(limits={"max_result": "4KiB"})
        long = b'{"host":"db1","output":"' + b"x" * 8192 + b'"}\n'
        replies = wire.talk(agent.socket, GOOD + long + GOOD)
        self.assertEqual([r["ok"] for r in replies], [True, False, True])
        self.assertIn("line 2", replies[1]["error"])

    def test_a_longer_element_than_the_limit_has_no_end_and_ends_the_connection(self):
        agent = self.agent(limits={"max_result": "4KiB"})
        long = wire.encode(wire.MSGPACK, "db1", "Backup", 0, "x" * 8192)
        good = wire.encode(wire.MSGPACK, "db1", "Backup", 0, "good")
        replies = wire.talk(agent.socket, good + long + good)
        self.assertEqual([r["ok"] for r in replies], [True, False])
        self.survives(agent)

    def test_an_endless_line_does_not_fill_memory(self):
        agent = self.agent(limits={"max_result": "64KiB"})
        with wire.Stream(agent.socket) as stream:
            with self.assertRaises(OSError):
                for _ in range(4096):
                    stream.send(b"x" * 65536)
        self.survives(agent)

    def test_garbage_is_survived(self):
        agent = self.agent()
        chaos = random.Random(7)
        for first in (b"{", b"[", b"\x80", b"\xde", b"G", b"x", b"\x00", b"\xff"):
            noise = first + bytes(chaos.randrange(256) for _ in range(3000))
            with wire.Stream(agent.socket) as stream:
                try:
                    stream.send(noise).socket.shutdown(socket.SHUT_WR)
                    stream.reader.read()
                except OSError:
                    pass
        self.survives(agent)

    def test_messagepack_that_claims_too_much_is_refused(self):
        agent = self.agent()
        claims = [b"\xdf\xff\xff\xff\xff", b"\x81\xa4host\xdb\xff\xff\xff\xff", b"\xde\xff\xff" + b"\xa1a\xc0" * 10,
                  b"\x81\xa4host" + b"\x91" * 100000 + b"\xc0", b"\x81\xa4host\xdd\xff\xff\xff\xff"]
        for claim in claims:
            replies = wire.talk(agent.socket, wire.encode(wire.MSGPACK, "db1", "Backup", 0, "good") + claim)
            self.assertTrue(replies[0]["ok"], replies)
            self.assertFalse(any(r["ok"] for r in replies[1:]), replies)
        self.survives(agent)

    def test_half_a_line_at_the_end_of_the_stream_is_judged(self):
        agent = self.agent()
        self.assertEqual([r["ok"] for r in wire.talk(agent.socket, GOOD + GOOD.rstrip())][0], True)
        replies = wire.talk(agent.socket, GOOD + b'{"host":"db1","sta')
        self.assertEqual([r["ok"] for r in replies], [True, False])

    def test_half_a_line_and_silence_is_ended_after_the_idle_timeout(self):
        agent = self.agent(limits={"idle_timeout": "1s"})
        with wire.Stream(agent.socket) as stream:
            stream.send(GOOD)
            self.assertTrue(stream.reply()["ok"])
            stream.send(b'{"host":"db1"')
            rest = stream.reader.read()
        self.assertTrue(rest == b"" or not json.loads(rest)["ok"], rest)
        self.survives(agent)

    def test_a_peer_that_never_reads_its_replies_does_not_stop_others(self):
        agent = self.agent()
        deaf = socket.socket(socket.AF_UNIX)
        self.addCleanup(deaf.close)
        deaf.connect(agent.socket)
        deaf.setblocking(False)
        try:
            for _ in range(200000):
                deaf.send(GOOD * 100)
        except BlockingIOError:
            pass
        self.survives(agent)

    def test_more_connections_than_allowed_are_turned_away_and_others_go_on(self):
        agent = self.agent(limits={"max_connections": 8})
        crowd = []
        for _ in range(30):
            try:
                crowd.append(wire.Stream(agent.socket, timeout=30))
            except OSError:
                pass
        for stream in crowd:
            self.addCleanup(stream.close)
        self.assertEqual(crowd[0].ask(GOOD)["ok"], True)
        for stream in crowd:
            stream.close()
        wait_until(lambda: _good(agent), "a connection to be taken again")

    def test_byte_by_byte_is_the_same_as_at_once(self):
        for form in wire.FORMATS:
            with self.subTest(form):
                if not self.agents:
                    self.agent()
                agent = self.agents[0]
                with wire.Stream(agent.socket) as stream:
                    for byte in wire.encode(form, "db1", form, 0, "slow"):
                        stream.send(bytes([byte]))
                    if form == wire.MSGPACK:
                        self.assertTrue(stream.reply()["ok"])
                    self.assertEqual([r["ok"] for r in stream.finish()], [] if form == wire.MSGPACK else [True])


def _good(agent):
    try:
        replies = wire.talk(agent.socket, GOOD)
    except OSError:
        return False
    return bool(replies) and replies[0]["ok"]


class Http(Case):
    def setUp(self):
        super().setUp()
        self.port = free_port()

    def listen(self, **sections):
        intake = {"type": "http", "listen": f"127.0.0.1:{self.port}", "dialects": ["native", "op5"]}
        return self.agent([intake], **sections)

    def ask(self, method, path, body=None, headers=None):
        return request(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60), method, path, body, headers)

    def test_native_refusals(self):
        self.listen()
        self.assertEqual(self.ask("GET", "/no/such/path").status, 404)
        self.assertEqual(self.ask("DELETE", "/v1/results").status, 405)
        for body in (b"no json", b"[1,", b"{", b"[]x", b"\x81"):
            reply = self.ask("POST", "/v1/results", body)
            self.assertEqual(reply.status, 400, body)
            self.assertTrue(reply.json)
        reply = self.ask("POST", "/v1/results", b'{"host":"db1","state":"odd","output":"x"}')
        self.assertEqual((reply.status, reply.json["accepted"], reply.json["refused"]), (400, 0, 1))
        self.assertIn("odd", reply.json["results"][0]["error"])

    def test_op5_refusals_are_in_op5s_style(self):
        self.listen()
        path = "/api/command/PROCESS_SERVICE_CHECK_RESULT"
        cases = [(b"no json", 400), (b"{}", 400), (b'{"host_name":"db1","status_code":"0","plugin_output":"x"}', 400),
                 (b'{"host_name":"db1","service_description":"s","status_code":"two","plugin_output":"x"}', 400),
                 (b'{"host_name":"db1","service_description":"s","status_code":true,"plugin_output":"x"}', 400)]
        for body, status in cases:
            reply = self.ask("POST", path, body)
            self.assertEqual((reply.status, set(reply.json)), (status, {"error", "full_error"}), body)
        self.assertEqual(self.ask("GET", path).status, 405)
        self.assertEqual(self.ask("POST", "/api/command/RESTART_PROGRAM", b"{}").status, 404)
        self.assertEqual(self.delivered(), [])

    def test_op5_dialect_is_not_answered_where_it_is_not_configured(self):
        self.agent([{"type": "http", "listen": f"127.0.0.1:{self.port}", "dialects": ["native"]}])
        body = b'{"host_name":"db1","status_code":"0","plugin_output":"x"}'
        self.assertEqual(self.ask("POST", "/api/command/PROCESS_HOST_CHECK_RESULT", body).status, 404)

    def test_oversized_body_gets_413_before_it_is_sent(self):
        self.listen(limits={"max_body": "64KiB"})
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as sock:
            sock.sendall(b"POST /v1/results HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\n")
            self.assertIn(b" 413 ", sock.recv(65536).split(b"\r\n")[0])

    def test_oversized_chunked_body_gets_413(self):
        self.listen(limits={"max_body": "64KiB"})
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as sock:
            sock.sendall(b"POST /v1/results HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
            try:
                for _ in range(64):
                    sock.sendall(b"1000\r\n" + b"x" * 4096 + b"\r\n")
            except OSError:
                pass
            self.assertIn(b" 413 ", sock.recv(65536).split(b"\r\n")[0])

    def test_chunked_body_is_taken(self):
        self.listen()
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as sock:
            sock.sendall(b"POST /v1/results HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
            for byte in GOOD:
                sock.sendall(b"1\r\n%c\r\n" % byte)
            sock.sendall(b"0\r\n\r\n")
            self.assertIn(b" 200 ", sock.recv(65536).split(b"\r\n")[0])

    def test_expect_100_continue_is_answered(self):
        self.listen()
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as sock:
            head = f"POST /v1/results HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {len(GOOD)}\r\n\r\n"
            sock.sendall(head.encode())
            self.assertIn(b" 100 ", sock.recv(65536))
            sock.sendall(GOOD)
            self.assertIn(b" 200 ", sock.recv(65536))

    def slow(self, data, **options):
        """What a peer hears that sends `data` and then nothing more."""
        agent = self.agent([{"type": "http", "listen": f"127.0.0.1:{self.port}", "dialects": ["native"], **options}])
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as sock:
            sock.sendall(data)
            answer = b"".join(iter(lambda: sock.recv(65536), b""))
        self.assertEqual(self.ask("POST", "/v1/results", GOOD).status, 200)
        self.assertTrue(agent.running())
        return answer

    def test_slow_body_is_timed_out(self):
        answer = self.slow(b"POST /v1/results HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{",
                           body_timeout="500ms")
        self.assertTrue(answer == b"" or b" 408 " in answer.split(b"\r\n")[0], answer)

    def test_slow_headers_are_timed_out(self):
        answer = self.slow(b"POST /v1/results HTTP/1.1\r\nHost: x\r\nX-Slow: ", header_timeout="500ms")
        self.assertTrue(answer == b"" or b" 408 " in answer.split(b"\r\n")[0], answer)

    def test_silent_connections_are_ended(self):
        self.assertEqual(self.slow(b"", idle_timeout="500ms", header_timeout="500ms"), b"")

    def test_broken_http_gets_400_and_the_connection_ends(self):
        self.listen()
        smuggle = b"POST /v1/results HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        for broken in (b"\x16\x03\x01garbage\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", smuggle,
                       b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 100000):
            with socket.create_connection(("127.0.0.1", self.port), timeout=30) as sock:
                try:
                    sock.sendall(broken)
                    sock.shutdown(socket.SHUT_WR)
                    answer = b"".join(iter(lambda: sock.recv(65536), b""))
                except OSError:
                    answer = b""
            self.assertNotIn(b" 200 ", answer.split(b"\r\n")[0], broken[:50])
        self.assertEqual(self.ask("POST", "/v1/results", GOOD).status, 200)

    def test_pipelined_requests_are_answered_in_order(self):
        self.listen()
        wireform = b"".join(b"POST /v1/results HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
                            for body in (json.dumps(result(n, id=f"p{n}")).encode() for n in range(10)))
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as sock:
            sock.sendall(wireform)
            sock.shutdown(socket.SHUT_WR)
            answer = b"".join(iter(lambda: sock.recv(65536), b"")).decode()
        positions = [answer.find(f'"p{n}"') for n in range(10)]
        self.assertTrue(-1 not in positions and positions == sorted(positions), answer)

    def test_keepalive_serves_many_requests(self):
        self.listen()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        for n in range(20):
            connection.request("POST", "/v1/results", json.dumps(result(n)))
            self.assertEqual(json.loads(connection.getresponse().read())["accepted"], 1)
        connection.close()
        self.wait_delivered(20)

    def test_messagepack_length_fields_are_not_believed(self):
        self.listen()
        body = struct.pack(">BI", 0xDF, 1 << 31)
        reply = self.ask("POST", "/v1/results", body, {"Content-Type": "application/msgpack"})
        self.assertIn(reply.status, (400, 413))
