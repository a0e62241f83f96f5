"""Who may hand results in, and who may operate the agent."""

import base64
import grp
import http.client
import json
import os
import pwd
import subprocess
import sys
import unittest

from .harness import BINARY, Case, free_port, request, result

ROOT = os.geteuid() == 0
LINE = json.dumps(result(1)) + "\n"
# Runs as another user: hands one line in and prints the replies.
CLIENT = """
import socket, sys
s = socket.socket(socket.AF_UNIX); s.settimeout(30); s.connect(sys.argv[1])
try:
    s.sendall(sys.argv[2].encode()); s.shutdown(1)
except OSError:
    pass
print(b"".join(iter(lambda: s.recv(4096), b"")).decode())
"""


def as_user(name, *command):
    account = pwd.getpwnam(name)
    return subprocess.run(command, user=account.pw_uid, group=account.pw_gid, extra_groups=[], capture_output=True,
                          text=True,
                          timeout=60, stdin=subprocess.DEVNULL)


class HttpUsers(Case):
    def setUp(self):
        super().setUp()
        self.port = free_port()
        users = [{"name": "dba", "password": "dba-pass", "hosts": ["db*", "cache1"]},
                 {"name": "all", "password": "all-pass", "hosts": ["*"]}]
        self.relay = self.agent([{"type": "http", "listen": f"127.0.0.1:{self.port}", "dialects": ["native", "op5"],
                                  "user": users}])

    def post(self, body, auth=None, path="/v1/results"):
        headers = {"Authorization": auth} if auth else {}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        return request(connection, "POST", path, body if isinstance(body, str) else json.dumps(body), headers)

    def basic(self, name, password):
        return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()

    def test_without_or_with_wrong_credentials_nothing_is_taken(self):
        wrong = (None, self.basic("dba", "no"), self.basic("nobody", "dba-pass"), "Bearer nonsense",
                 self.basic("", ""))
        for auth in wrong:
            reply = self.post(result(1), auth)
            self.assertEqual(reply.status, 401, auth)
            self.assertIn("www-authenticate", reply.headers)
        self.assertIn(self.post(result(1), "Basic ???").status, (400, 401))
        reply = self.post({"host_name": "db1", "status_code": 0}, None, "/api/command/PROCESS_HOST_CHECK_RESULT")
        self.assertEqual((reply.status, set(reply.json)), (401, {"error", "full_error"}))
        self.assertEqual(self.relay.intake("http")["accepted"], 0)

    def test_basic_and_bearer_are_taken(self):
        self.assertEqual(self.post(result(1), self.basic("dba", "dba-pass")).status, 200)
        self.assertEqual(self.post(result(2), "Bearer dba-pass").status, 200)
        self.wait_delivered(2)

    def test_a_user_speaks_for_its_hosts_alone(self):
        auth = self.basic("dba", "dba-pass")
        self.assertEqual(self.post(result(1, host="cache1"), auth).status, 200)
        reply = self.post(result(2, host="web1"), auth)
        self.assertEqual(reply.status, 403)
        self.assertIn("web1", json.dumps(reply.json))
        self.assertEqual(self.post(result(3, host="web1"), self.basic("all", "all-pass")).status, 200)

    def test_a_mixed_batch_is_judged_one_by_one(self):
        lines = "".join(json.dumps(result(n, host=h)) + "\n" for n, h in enumerate(("db1", "web1", "db2")))
        reply = self.post(lines, self.basic("dba", "dba-pass"))
        self.assertEqual((reply.status, [r["ok"] for r in reply.json["results"]]), (200, [True, False, True]))

    def test_op5_style_403_for_another_host(self):
        body = {"host_name": "web1", "status_code": 0, "plugin_output": "x"}
        reply = self.post(body, self.basic("dba", "dba-pass"), "/api/command/PROCESS_HOST_CHECK_RESULT")
        self.assertEqual((reply.status, set(reply.json)), (403, {"error", "full_error"}))


class HttpWithoutUsers(Case):
    def test_a_listener_without_users_on_a_public_address_takes_loopback_peers_only_or_is_a_fault(self):
        port = free_port()
        agent = self.agent([{"type": "http", "listen": f"0.0.0.0:{port}", "dialects": ["native"]}], start=False)
        checked = subprocess.run([BINARY, "check", "--config", agent.file], capture_output=True, text=True, timeout=60)
        if checked.returncode == 1:
            self.assertIn("user", checked.stdout + checked.stderr)
            return
        agent.start()
        address = next((a for a in _addresses() if not a.startswith("127.")), None)
        if address:
            reply = request(http.client.HTTPConnection(address, port, timeout=30), "POST", "/v1/results", LINE)
            self.assertIn(reply.status, (401, 403))
        reply = request(http.client.HTTPConnection("127.0.0.1", port, timeout=30), "POST", "/v1/results", LINE)
        self.assertEqual(reply.status, 200)


@unittest.skipUnless(ROOT, "needs root to act as other users")
class UnixUsers(Case):
    def hand_in(self, name, path):
        text = as_user(name, sys.executable, "-c", CLIENT, path, LINE).stdout.strip()
        return json.loads(text.splitlines()[0]) if text else None

    def open_to(self, **options):
        path = self.path("in.sock")
        agent = self.agent([{"type": "unix", "path": path, "mode": "0666", **options}])
        return agent, path

    def test_allow_users_admits_them_and_turns_others_away_in_words(self):
        agent, path = self.open_to(allow_users=["nobody"])
        self.assertTrue(self.hand_in("nobody", path)["ok"])
        refused = self.hand_in("daemon", path)
        self.assertFalse(refused["ok"])
        self.wait_delivered(1)
        self.assertEqual(len(self.delivered()), 1)
        self.assertTrue(agent.running())

    def test_allow_groups_admits_by_group(self):
        group = grp.getgrgid(pwd.getpwnam("nobody").pw_gid).gr_name
        _, path = self.open_to(allow_groups=[group])
        self.assertTrue(self.hand_in("nobody", path)["ok"])
        self.assertFalse(self.hand_in("daemon", path)["ok"])

    def test_without_lists_whoever_the_mode_admits_may_hand_in(self):
        _, path = self.open_to()
        self.assertTrue(self.hand_in("nobody", path)["ok"])

    def test_mode_and_group_of_the_socket_are_as_configured(self):
        path = self.path("in.sock")
        self.agent([{"type": "unix", "path": path, "mode": "0660", "group": "daemon"}])
        info = os.stat(path)
        self.assertEqual((info.st_mode & 0o777, grp.getgrgid(info.st_gid).gr_name), (0o660, "daemon"))
        account = pwd.getpwnam("nobody")
        done = subprocess.run([sys.executable, "-c", CLIENT, path, LINE], user=account.pw_uid, group=account.pw_gid,
                              extra_groups=[],
                              capture_output=True, text=True, timeout=60)
        self.assertIn("PermissionError", done.stderr)

    def test_operators_words_are_for_root_the_agents_user_and_the_admin_group(self):
        agent, path = self.open_to()
        ident = self.accept(agent, result(1))[0]
        self.wait_delivered(1)
        for words in (("queue", "list"), ("queue", "drop", ident)):
            stranger = as_user("nobody", BINARY, *words, "-C", path)
            self.assertNotEqual(stranger.returncode, 0)
            self.assertNotIn("Backup", stranger.stdout)
        self.assertEqual(agent.cli("queue", "list").returncode, 0)

    def test_admin_group_operates(self):
        group = grp.getgrgid(pwd.getpwnam("nobody").pw_gid).gr_name
        path = self.path("in.sock")
        agent = self.agent([{"type": "unix", "path": path, "mode": "0666"}], agent={"admin_group": group})
        self.accept(agent, result(1))
        self.wait_delivered(1)
        done = as_user("nobody", BINARY, "queue", "list", "--state", "delivered", "-C", path)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("Backup", done.stdout)


class OperatorsWordsOverTcp(Case):
    def test_a_tcp_http_listener_does_not_operate(self):
        port = free_port()
        agent = self.agent([{"type": "http", "listen": f"127.0.0.1:{port}", "dialects": ["native", "op5"]}])
        ident = self.accept(agent, result(1))[0]
        for method, path in (("GET", "/v1/queue"), ("POST", "/v1/queue/retry"), ("POST", "/v1/queue/drop"),
                             ("GET", f"/v1/queue/{ident}"),
                             ("POST", "/v1/reload")):
            reply = request(http.client.HTTPConnection("127.0.0.1", port, timeout=30), method, path, b"")
            self.assertIn(reply.status, (401, 403, 404, 405), (method, path))


def _addresses():
    text = subprocess.run(["hostname", "-I"], capture_output=True, text=True).stdout
    return [a for a in text.split() if "." in a]
