"""TLS, outbound and inbound: verified unless someone wrote that it shall not be."""

import http.client
import json
import pathlib
import socket
import ssl

from simulators.op5 import Op5

from .harness import Case, free_port, request, result, run
from .tls import Authority


class Outbound(Case):
    def setUp(self):
        super().setUp()
        self.authority = Authority(self.directory)

    def central(self, alternative="IP:127.0.0.1", client_ca=None, **options):
        cert, key = self.authority.issue("server", alternative)
        self.sim = Op5(cert=cert, key=key, client_ca=client_ca).start()
        self.addCleanup(self.sim.stop)
        agent = self.agent(destinations=[self.op5_destination(self.sim, **options)])
        self.accept(agent, result(1))
        return agent

    def refuses(self, agent):
        status = agent.wait_destination("central", lambda d: d["state"] == "config")
        self.assertEqual((status["delivered"], status["dead"]), (0, 0))
        self.assertIn("certificate", status["last_error"].lower())
        self.assertEqual(self.sim.requests, [])

    def test_certificate_of_an_unknown_authority_is_refused(self):
        self.refuses(self.central())

    def test_ca_file_is_believed(self):
        agent = self.central(ca_file=self.authority.cert)
        agent.wait_destination("central", lambda d: d["delivered"] == 1)

    def test_certificate_for_another_name_is_refused(self):
        agent = self.central("DNS:other.example.com", ca_file=self.authority.cert)
        status = agent.wait_destination("central", lambda d: d["state"] == "config")
        self.assertTrue(status["last_error"])
        self.assertEqual(self.sim.requests, [])

    def test_another_authority_is_refused(self):
        self.refuses(self.central(ca_file=Authority(self.directory, "Other CA").cert))

    def test_insecure_is_believed_and_shown(self):
        agent = self.central(insecure=True)
        agent.wait_destination("central", lambda d: d["delivered"] == 1)
        shown = agent.cli("status").stdout + json.dumps(agent.status())
        self.assertIn("insecure", shown)

    def test_client_certificate_is_shown_to_the_server(self):
        cert, key = self.authority.issue("relay")
        agent = self.central(client_ca=self.authority.cert, ca_file=self.authority.cert, client_cert=cert,
                             client_key=key)
        agent.wait_destination("central", lambda d: d["delivered"] == 1)

    def test_without_the_client_certificate_nothing_is_delivered_or_lost(self):
        agent = self.central(client_ca=self.authority.cert, ca_file=self.authority.cert)
        status = agent.wait_destination("central", lambda d: d["last_error"])
        self.assertEqual((status["pending"] + status["in_flight"], status["delivered"], status["dead"]), (1, 0, 0))


class Inbound(Case):
    def setUp(self):
        super().setUp()
        self.authority = Authority(self.directory)
        self.port = free_port()

    def listen(self, **options):
        cert, key = self.authority.issue("localhost", "IP:127.0.0.1")
        return self.agent([{"type": "http", "listen": f"127.0.0.1:{self.port}", "dialects": ["native", "op5"],
                            "tls_cert": cert, "tls_key": key, **options}])

    def post(self, context, body=b'{"host":"db1","service":"Backup","state":0,"output":"n=1"}'):
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=30, context=context)
        return request(connection, "POST", "/v1/results", body)

    def trusting(self, client=None):
        context = ssl.create_default_context(cafile=self.authority.cert)
        if client:
            context.load_cert_chain(*client)
        return context

    def test_https_listener_takes_results(self):
        self.listen()
        self.assertEqual(self.post(self.trusting()).status, 200)
        self.wait_delivered(1)

    def test_plain_http_on_it_gets_nothing_in(self):
        agent = self.listen()
        with self.assertRaises((OSError, http.client.HTTPException)):
            plain = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            request(plain, "POST", "/v1/results", b'{"host":"db1","state":0,"output":"x"}')
        self.assertEqual(self.post(self.trusting()).status, 200)
        self.assertTrue(agent.running())

    def test_old_protocol_versions_are_refused(self):
        self.listen()
        context = self.trusting()
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
        context.set_ciphers("ALL:@SECLEVEL=0")
        with self.assertRaises(OSError):
            self.post(context)

    def test_client_certificate_is_asked_for_and_verified(self):
        self.listen(tls_client_ca=self.authority.cert)
        with self.assertRaises(OSError):
            self.post(self.trusting())
        stranger = Authority(self.directory, "Other CA").issue("stranger")
        with self.assertRaises(OSError):
            self.post(self.trusting(stranger))
        self.assertEqual(self.post(self.trusting(self.authority.issue("client"))).status, 200)

    def test_a_large_batch_passes(self):
        self.listen()
        lines = b"".join(json.dumps(result(n)).encode() + b"\n" for n in range(2000))
        reply = self.post(self.trusting(), lines)
        self.assertEqual((reply.status, reply.json["accepted"]), (200, 2000))
        self.wait_delivered(2000)

    def test_silent_peers_in_the_handshake_do_not_stop_others(self):
        self.listen()
        silent = [socket.create_connection(("127.0.0.1", self.port)) for _ in range(20)]
        for peer in silent:
            self.addCleanup(peer.close)
        self.assertEqual(self.post(self.trusting()).status, 200)


class Secrets(Case):
    SECRETS = ("s3cret-upstream", "s3cret-user", "s3cret-file")

    def test_secrets_are_in_no_log_status_or_process_list(self):
        sim = Op5(users={"status_update": "other"}).start()
        self.addCleanup(sim.stop)
        (self.directory / "pw").write_text("s3cret-file\n")
        from_file = self.op5_destination(sim, "second", password_file=self.path("pw"))
        del from_file["password"]
        port = free_port()
        intake = {"type": "http", "listen": f"127.0.0.1:{port}", "dialects": ["native", "op5"],
                  "user": [{"name": "u", "password": "s3cret-user", "hosts": ["*"]}]}
        destinations = [self.op5_destination(sim, password="s3cret-upstream"), from_file]
        agent = self.agent([intake], destinations, log={"level": "trace"})
        ident = self.accept(agent, result(1))[0]
        for name in ("central", "second"):
            agent.wait_destination(name, lambda d: d["state"] == "auth")
        for secret in ("s3cret-user", "s3cret-wrong-guess"):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            request(connection, "POST", "/v1/results", b"{}", {"Authorization": f"Bearer {secret}"})
        process = pathlib.Path(f"/proc/{agent.process.pid}")
        seen = [json.dumps(agent.status()), agent.cli("status").stdout, agent.cli("queue", "show", ident).stdout,
                agent.http("GET", "/metrics").body.decode(), (process / "cmdline").read_text(),
                (process / "environ").read_text(), agent.stderr()]
        for text in seen:
            for secret in (*self.SECRETS, "s3cret-wrong-guess"):
                self.assertNotIn(secret, text)
        for seen_request in sim.requests:
            self.assertNotIn("s3cret", seen_request.target)
        self.assertTrue(sim.requests)

    def test_faults_do_not_quote_secrets(self):
        sim = Op5()
        faulty = self.op5_destination(sim, password="s3cret-upstream", url="http://u:s3cret-url@host/", retry_min="x")
        agent = self.agent(destinations=[faulty], start=False)
        done = run("check", "--config", agent.file)
        self.assertEqual(done.returncode, 1)
        self.assertNotIn("s3cret", done.stdout + done.stderr)
