"""Each way in, with each format: accepted, kept, delivered to a file and to an OP5 server, in order."""

import http.client
import json
import os
import subprocess

from simulators.op5 import Op5

from . import wire
from .harness import BINARY, Case, free_port, request, wait_until

SUBJECTS = (("db1", "Backup"), ("db1", ""), ("web1", "HTTP"))


def batch(form, rounds=3):
    """Results for each subject, `rounds` times, and what is to arrive: {subject: [output, …]}."""
    data, expected = [], {subject: [] for subject in SUBJECTS}
    for n in range(rounds):
        for host, service in SUBJECTS:
            output = f"{form} round {n}"
            data.append(wire.encode(form, host, service, n % 3, output))
            expected[(host, service)].append(output)
    return data, expected


class WayIn(Case):
    """Starts an agent with the intake under test, a file and an OP5 simulator behind it; `backlog = "all"` at both."""

    def start(self, *intakes, **sections):
        self.sim = Op5().start()
        self.addCleanup(self.sim.stop)
        central = self.op5_destination(self.sim, backlog="all")
        return self.agent(intakes, [self.file_destination(), central], **sections)

    def arrives(self, expected):
        total = sum(map(len, expected.values()))
        rows = self.wait_delivered(total)
        self.assertEqual(len(rows), total)
        self.sim.wait(lambda: len(self.sim.journal) >= total)
        for (host, service), outputs in expected.items():
            mine = [r["output"] for r in rows if (r["host"], r.get("service", "")) == (host, service)]
            self.assertEqual(mine, outputs)
            self.assertEqual(self.sim.outputs(host, service), outputs)


class UnixSocket(WayIn):
    def check(self, form):
        agent = self.start()
        data, expected = batch(form)
        replies = wire.talk(agent.socket, b"".join(data))
        self.assertEqual([r["ok"] for r in replies], [True] * len(data))
        self.assertEqual(len({r["id"] for r in replies}), len(data))
        self.arrives(expected)
        self.assertEqual(agent.intake("unix")["accepted"], len(data))

    def test_json_arrives(self):
        self.check(wire.JSON)

    def test_nagios_commands_arrive(self):
        self.check(wire.NAGIOS)

    def test_messagepack_arrives(self):
        self.check(wire.MSGPACK)

    def test_send_nsca_text_arrives(self):
        self.check(wire.NSCA)

    def test_each_result_is_answered_by_itself_on_an_open_connection(self):
        agent = self.start()
        with wire.Stream(agent.socket) as stream:
            for n in range(3):
                reply = stream.ask(wire.encode(wire.JSON, "db1", "Backup", 0, f"n={n}", id=f"id-{n}"))
                self.assertEqual(reply, {"ok": True, "id": f"id-{n}"})

    def test_send_nsca_pipe_text_of_a_script_is_taken_unchanged(self):
        agent = self.start()
        script = r"""printf "%s\t%s\t%s\t%s\n" db1 Backup 2 "disk full|used=100%;80;90"
                     printf "%s\t%s\t%s\n" db1 1 "no ping" """
        text = subprocess.run(["bash", "-c", script], capture_output=True, check=True).stdout
        self.assertEqual([r["ok"] for r in wire.talk(agent.socket, text)], [True, True])
        rows = self.wait_delivered(2)
        self.assertEqual((rows[0]["state"], rows[0]["output"], rows[0]["perfdata"]),
                         (2, "disk full", "used=100%;80;90"))
        self.assertEqual((rows[1]["state"], rows[1]["output"], rows[1].get("service", "")), (1, "no ping", ""))


class TcpSocket(WayIn):
    def check(self, form):
        port = free_port()
        self.start({"type": "tcp", "listen": f"127.0.0.1:{port}"})
        data, expected = batch(form)
        replies = wire.talk(("127.0.0.1", port), b"".join(data))
        self.assertEqual([r["ok"] for r in replies], [True] * len(data))
        self.arrives(expected)

    def test_json_arrives(self):
        self.check(wire.JSON)

    def test_nagios_commands_arrive(self):
        self.check(wire.NAGIOS)

    def test_messagepack_arrives(self):
        self.check(wire.MSGPACK)

    def test_send_nsca_text_arrives(self):
        self.check(wire.NSCA)

    def test_http_is_not_spoken_on_tcp(self):
        port = free_port()
        agent = self.start({"type": "tcp", "listen": f"127.0.0.1:{port}"})
        with wire.Stream(("127.0.0.1", port)) as stream:
            stream.send(b"GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n").socket.shutdown(1)
            answer = stream.reader.read()
        self.assertNotIn(b"HTTP/1.1 200", answer)
        self.assertTrue(agent.running())


class DatagramSocket(WayIn):
    def check(self, form):
        self.start({"type": "unixgram", "path": self.path("gram.sock")})
        data, expected = batch(form)
        for one in data:
            wire.datagram(self.path("gram.sock"), one)
        self.arrives(expected)

    def test_json_arrives(self):
        self.check(wire.JSON)

    def test_nagios_commands_arrive(self):
        self.check(wire.NAGIOS)

    def test_messagepack_arrives(self):
        self.check(wire.MSGPACK)

    def test_send_nsca_text_arrives(self):
        self.check(wire.NSCA)

    def test_formats_may_change_from_datagram_to_datagram(self):
        agent = self.start({"type": "unixgram", "path": self.path("gram.sock")})
        for form in wire.FORMATS:
            wire.datagram(self.path("gram.sock"), wire.encode(form, "db1", "Backup", 0, form))
        wire.datagram(self.path("gram.sock"), b'{"host":"db1","state":9}')
        self.wait_delivered(4)
        self.assertEqual(self.outputs(), list(wire.FORMATS))
        wait_until(lambda: agent.intake("unixgram")["refused"] == 1, "the refusal to be counted")


class Fifo(WayIn):
    def check(self, form):
        self.start({"type": "fifo", "path": self.path("nagios.cmd")})
        data, expected = batch(form)
        wire.fifo(self.path("nagios.cmd"), b"".join(data))
        self.arrives(expected)

    def test_json_arrives(self):
        self.check(wire.JSON)

    def test_nagios_commands_arrive(self):
        self.check(wire.NAGIOS)

    def test_send_nsca_text_arrives(self):
        self.check(wire.NSCA)

    def test_shell_redirection_into_nagios_cmd_works_for_writers_that_come_and_go(self):
        agent = self.start({"type": "fifo", "path": self.path("nagios.cmd")})
        for n in range(5):
            line = f"[1700000000] PROCESS_SERVICE_CHECK_RESULT;db1;Backup;0;n={n}"
            subprocess.run(["bash", "-c", f"echo '{line}' > {self.path('nagios.cmd')}"], check=True)
        self.wait_delivered(5)
        self.assertEqual(self.outputs(), [f"n={n}" for n in range(5)])
        self.assertTrue(agent.running())

    def test_each_line_is_judged_by_itself(self):
        agent = self.start({"type": "fifo", "path": self.path("nagios.cmd")})
        lines = [wire.encode(f, "db1", "Backup", 0, f) for f in (wire.JSON, wire.NAGIOS, wire.NSCA)]
        wire.fifo(self.path("nagios.cmd"), lines[0] + b"nonsense\n" + lines[1] + b"[1] RESTART_PROGRAM\n" + lines[2])
        self.wait_delivered(3)
        self.assertEqual(self.outputs(), ["json", "nagios", "nsca"])
        wait_until(lambda: agent.intake("fifo")["refused"] == 2, "the refusals to be counted")


class SpoolDirectory(WayIn):
    def check(self, form):
        self.start({"type": "spool", "path": self.path("spool")})
        data, expected = batch(form)
        file = wire.spool(self.path("spool"), "results", b"".join(data))
        self.arrives(expected)
        wait_until(lambda: not os.path.exists(file), "the file to be removed")

    def test_json_arrives(self):
        self.check(wire.JSON)

    def test_nagios_commands_arrive(self):
        self.check(wire.NAGIOS)

    def test_messagepack_arrives(self):
        self.check(wire.MSGPACK)

    def test_send_nsca_text_arrives(self):
        self.check(wire.NSCA)


class HttpListener(WayIn):
    def listen(self, **more):
        self.port = free_port()
        return self.start({"type": "http", "listen": f"127.0.0.1:{self.port}", "dialects": ["native", "op5"], **more})

    def post(self, path, body, headers=None):
        return request(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60), "POST", path, body, headers)

    def accepted(self, body, expected, content_type="application/json"):
        reply = self.post("/v1/results", body, {"Content-Type": content_type})
        self.assertEqual(reply.status, 200, reply.body)
        total = sum(map(len, expected.values()))
        self.assertEqual((reply.json["accepted"], reply.json["refused"]), (total, 0))
        self.assertEqual([r["ok"] for r in reply.json["results"]], [True] * total)
        self.arrives(expected)

    def test_ndjson_arrives(self):
        self.listen()
        data, expected = batch(wire.JSON)
        self.accepted(b"".join(data), expected, "application/x-ndjson")

    def test_a_json_array_arrives(self):
        self.listen()
        data, expected = batch(wire.JSON)
        self.accepted(b"[" + b",".join(data) + b"]", expected)

    def test_messagepack_maps_arrive(self):
        self.listen()
        data, expected = batch(wire.MSGPACK)
        self.accepted(b"".join(data), expected, "application/msgpack")

    def test_some_refused_are_told_each_by_itself(self):
        self.listen()
        body = b'{"host":"db1","state":0,"output":"good"}\n{"host":"db1","state":9,"output":"bad"}\n'
        reply = self.post("/v1/results", body)
        self.assertEqual((reply.status, reply.json["accepted"], reply.json["refused"]), (200, 1, 1))
        self.assertEqual([r["ok"] for r in reply.json["results"]], [True, False])
        self.assertIn("9", reply.json["results"][1]["error"])
        self.wait_delivered(1)

    def test_the_documented_curl_call_is_answered_as_op5_would_and_delivered(self):
        self.listen(user=[{"name": "status_update", "password": "mysecret", "hosts": ["*"]}])
        call = f"""curl -s -u 'status_update:mysecret' -H 'content-type: application/json' \\
-d '{{"host_name":"example_host_1","service_description":"Example service","status_code":"2",\
"plugin_output":"Example issue has occurred"}}' \\
'http://127.0.0.1:{self.port}/api/command/PROCESS_SERVICE_CHECK_RESULT'"""
        answer = subprocess.run(["bash", "-c", call], capture_output=True, text=True, check=True).stdout
        self.assertEqual(json.loads(answer), {"result": "Successfully submitted PROCESS_SERVICE_CHECK_RESULT"})
        self.sim.wait(lambda: self.sim.journal)
        item = self.sim.state("example_host_1", "Example service")
        self.assertEqual((item.code, item.output), (2, "Example issue has occurred"))

    def test_op5_host_results_arrive_with_number_codes_too(self):
        self.listen()
        body = json.dumps({"host_name": "db1", "status_code": 1, "plugin_output": "down|rta=0ms"})
        reply = self.post("/api/command/PROCESS_HOST_CHECK_RESULT?format=json", body)
        self.assertEqual(reply.status, 200)
        self.assertEqual(reply.json, {"result": "Successfully submitted PROCESS_HOST_CHECK_RESULT"})
        row = self.wait_delivered(1)[0]
        self.assertEqual((row["host"], row["state"], row["output"], row["perfdata"]), ("db1", 1, "down", "rta=0ms"))

    def test_curl_speaks_http_on_the_unix_socket(self):
        agent = self.listen()
        body = '{"host":"db1","service":"Backup","state":"warning","output":"hi"}'
        args = ["curl", "-sS", "--unix-socket", agent.socket, "-d", body, "http://localhost/v1/results"]
        answer = json.loads(subprocess.run(args, capture_output=True, text=True, check=True).stdout)
        self.assertEqual(answer["accepted"], 1)
        self.assertEqual(self.wait_delivered(1)[0]["state"], 1)


class SendCommand(WayIn):
    def test_send_hands_in_one_result(self):
        agent = self.start()
        done = agent.cli("send", "-H", "db1", "-S", "Backup", "-s", "CRITICAL", "-m", "took 91 min",
                         "-p", "dur=5460s", "--id", "run-7")
        self.assertEqual(done.returncode, 0, done.stderr)
        row = self.wait_delivered(1)[0]
        self.assertEqual((row["id"], row["state"], row["output"], row["perfdata"]),
                         ("run-7", 2, "took 91 min", "dur=5460s"))
        self.sim.wait(lambda: self.sim.journal)
        self.assertEqual(self.sim.journal[0].perfdata, "dur=5460s")

    def test_send_without_host_speaks_for_the_agents_own(self):
        agent = self.start()
        self.assertEqual(agent.cli("send", "-S", "Backup", "-s", "OK", "-m", "fine").returncode, 0)
        self.assertEqual(self.wait_delivered(1)[0]["host"], "edge1")

    def check(self, form):
        agent = self.start()
        data, expected = batch(form)
        program = [BINARY, "send", "-C", agent.socket, "--stdin"]
        done = subprocess.run(program, input=b"".join(data), capture_output=True, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.arrives(expected)

    def test_send_stdin_takes_json(self):
        self.check(wire.JSON)

    def test_send_stdin_takes_nagios_commands(self):
        self.check(wire.NAGIOS)

    def test_send_stdin_takes_messagepack(self):
        self.check(wire.MSGPACK)

    def test_send_stdin_takes_send_nsca_text(self):
        self.check(wire.NSCA)

    def test_send_stdin_prints_refused_lines_and_exits_1(self):
        agent = self.start()
        text = "db1\tBackup\t0\tfine\nno tabs here\ndb1\tBackup\t7\twrong\ndb1\tBackup\t1\tlate\n"
        done = agent.cli("send", "--stdin", input=text)
        self.assertEqual(done.returncode, 1)
        self.assertIn("line 2", done.stderr)
        self.assertIn("line 3", done.stderr)
        self.assertIn("7", done.stderr)
        self.wait_delivered(2)
        self.assertEqual(self.outputs(), ["fine", "late"])

    def test_send_refused_exits_1_with_the_reason(self):
        agent = self.start()
        done = agent.cli("send", "-S", "Backup", "-s", "OK", "-m", "fine", "-H", "a\x01b")
        self.assertEqual(done.returncode, 1)
        self.assertIn("host", done.stderr)
