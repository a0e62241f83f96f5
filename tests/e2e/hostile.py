"""What no destination over HTTP may fall for, and what it says instead: mixed into a case of `upstreams`."""

import gzip
import json
import pathlib

from simulators.http_server import HttpSimulator

from .harness import PATIENCE, SANITIZED, result, wait_until
from .scenarios import HTML
from .tls import Authority
from .upstreams import PASSWORD


class Elsewhere(HttpSimulator):
    """A server that nobody should ask."""

    def decide(self, request):
        raise AssertionError(request)


class Certificates:
    def refused(self, words, cert, key, **options):
        """The fault is named and nothing is asked; with a good certificate all that waited is delivered."""
        authority = self.authority
        sim = self.start_simulator(cert=cert, key=key)
        self.central(sim, **{"ca_file": authority.cert, **options})
        self.accept(self.relay, result(1), result(2))
        status = self.relay.wait_destination("central", lambda d: d["state"] == "config")
        self.assertRegex(status["last_error"].lower(), words)
        self.assertEqual((status["pending"] + status["in_flight"], status["delivered"], status["dead"]), (2, 0, 0))
        self.assertEqual(sim.requests, [])
        if options:
            return
        sim.use_certificate(*authority.issue("good", "IP:127.0.0.1"))
        self.all_well(2)
        self.assertEqual(self.arrived(), ["n=1", "n=2"])

    def setUp(self):
        super().setUp()
        self.authority = Authority(self.directory)

    def test_an_expired_certificate_is_refused_by_that_name(self):
        self.refused("certificate has expired", *self.authority.issue("old", "IP:127.0.0.1", days=-1))

    def test_a_certificate_for_another_name_is_refused_by_that_name(self):
        self.refused("name", *self.authority.issue("other", "DNS:other.example.com"))

    def test_a_self_signed_certificate_is_refused_by_that_name(self):
        alone = Authority(self.directory, "Alone", alternative="IP:127.0.0.1")
        self.refused("self.signed certificate", alone.cert, alone.key)

    def test_an_authority_that_nobody_named_is_refused(self):
        self.refused("certificate", *self.authority.issue("good", "IP:127.0.0.1"),
                     ca_file=Authority(self.directory, "Other").cert)


class Redirects:
    STATUSES = (301, 302, 303, 307, 308)

    def test_no_redirect_is_followed_and_nobody_else_is_shown_a_secret(self):
        with Elsewhere() as elsewhere:
            self.central()
            self.warm()
            count = 1
            for prefix in filter(None, (self.SUBMIT, self.LOGIN)):
                for status in self.STATUSES:
                    target = f"{elsewhere.url}/rest/login?seen={status}"
                    self.aimed(prefix).fail_next(-1, status, HTML, "text/html", (("Location", target),))
                    if prefix == self.LOGIN:
                        self.sim.expire_sessions()
                    self.accept(self.relay, result(count))
                    count += 1
                    seen = self.relay.wait_destination("central", lambda d: d["state"] == "config" and target in
                                                       d["last_error"])
                    self.assertEqual((seen["pending"] + seen["in_flight"], seen["dead"]), (1, 0))
                    self.sim.faults.clear()
                    self.all_well(count)
            self.assertEqual(self.arrived(), [f"n={n}" for n in range(count)])
            self.assertEqual((elsewhere.connections, elsewhere.requests), (0, []))


class Secrets:
    def test_secrets_are_in_no_log_status_story_metric_process_or_url(self):
        self.central(config={"log": {"level": "trace"}})
        self.warm()
        secrets = [PASSWORD] + [self.token()] * bool(self.LOGIN)
        faults = self.aimed()
        faults.fail_next(1, 500, "you said " + " and ".join(secrets), "text/plain")
        faults.fail_next(1, 403, "you said " + " and ".join(secrets), "text/plain")
        ident = self.accept(self.relay, result(1))[0]
        self.all_well(2)
        faults.fail_next(-1, 503, "you said " + " and ".join(secrets), "text/plain")
        last = self.accept(self.relay, result(2))[0]
        self.relay.wait_destination("central", lambda d: "you said" in (d["last_error"] or ""))
        process = pathlib.Path(f"/proc/{self.relay.process.pid}")
        told = [json.dumps(self.relay.status()), self.relay.cli("status").stdout, self.relay.stderr(),
                self.relay.cli("queue", "show", ident).stdout, self.relay.cli("queue", "show", last).stdout,
                self.relay.cli("queue", "list", "central").stdout, self.relay.http("GET", "/metrics").body.decode(),
                (process / "cmdline").read_text(), (process / "environ").read_text(),
                *(r.target for r in list(self.sim.requests))]
        for secret in secrets:
            for text in told:
                self.assertNotIn(secret, text)
        faults.clear()
        self.all_well(3)


class Sessions:
    """Of systems with a login."""

    def test_an_expiry_with_many_requests_under_way_is_one_login_and_no_result_twice(self):
        self.central(max_in_flight=8, batch_max=5)
        self.accept(self.relay, *(result(n, service=f"s{n % 30}") for n in range(150)))
        self.assertTrue(self.sim.wait(lambda: len(self.sim.journal) >= 30, PATIENCE))
        self.sim.expire_sessions()
        self.all_well(150)
        self.assertEqual(len(self.sim.journal), 150)
        self.assertLessEqual(self.sim.logins, 2)  # it may all have been sent before
        for s in range(30):
            self.assertEqual(self.arrived(f"s{s}"), [f"n={n}" for n in range(s, 150, 30)])

    def test_a_crash_while_it_logs_in_again_loses_nothing(self):
        self.central()
        self.warm()
        self.sim.expire_sessions()
        self.sim.hold()
        before = len(self.sim.requests)
        self.accept(self.relay, result(1), result(2))
        self.assertTrue(self.sim.wait(lambda: any(f"{r.method} {r.path}" == self.LOGIN for r in
                                                  self.sim.requests[before:]), 0) or
                        self.sim.wait(lambda: len(self.sim.requests) > before, PATIENCE))
        self.relay.kill()
        self.sim.release()
        self.relay.start()
        wait_until(lambda: self.arrived()[-1] == "n=2", "the last result")
        self.assertEqual(list(dict.fromkeys(self.arrived())), ["n=0", "n=1", "n=2"])


class BadAnswers:
    """Each answer lands in its class, is told in the server's own words, and loses nothing."""

    ANSWERS = [*((status, "text/plain", "backoff") for status in (408, 425, 500, 502, 503, 504, 507)),
               (200, "text/html", "backoff"), (403, "text/plain", "auth"), (404, "text/html", "config"),
               *((status, "text/plain", "config") for status in (405, 406, 407, 415)), (302, "text/html", "config")]

    def lands(self, count, state, words, faults):
        """The next result meets trouble of that class and name; it arrives when the trouble is over."""
        self.accept(self.relay, result(count))
        seen = self.relay.wait_destination("central", lambda d: d["state"] == state and words in (d["last_error"] or ""))
        self.assertEqual((seen["pending"] + seen["in_flight"], seen["dead"], seen["delivered"]), (1, 0, count))
        self.assertLessEqual(len(seen["last_error"].encode()), 500)
        faults.clear()
        return self.all_well(count + 1)

    def test_every_answer_lands_in_its_class_with_the_servers_words(self):
        self.central()
        self.warm()
        for count, (status, kind, state) in enumerate(self.answers(), 1):
            with self.subTest(status=status, kind=kind):
                words = f"the words of {count}"
                body = f"<html>{words}</html>" if kind == "text/html" else words
                self.aimed().fail_next(-1, status, body, kind)
                self.lands(count, state, words, self.sim.faults)
        self.assertEqual(self.arrived(), [f"n={n}" for n in range(count + 1)])

    def answers(self):
        return self.ANSWERS

    def test_words_of_the_server_are_cut_to_one_line(self):
        self.central()
        self.warm()
        self.aimed().fail_next(-1, 503, "many\r\n\twords\0 and \x1b[31mred \u2603 \udcff".encode("utf-8", "surrogateescape")
                               + b" more" * 9999, "text/plain")
        seen = self.lands(1, "backoff", "many words and [31mred \u2603", self.sim.faults)
        self.assertEqual(seen["state"], "ok")

    def bodies(self):
        """(name, how to make it) of answers that nobody can or should read."""
        faults = self.aimed()
        return (("larger than 1", lambda: faults.fail_next(-1, 200, b'{"result":"' + b"x" * (2 << 20) + b'"}')),
                ("larger than 1", lambda: faults.set(endless_body=-1)),
                ("larger than", lambda: faults.set(endless_headers=-1)),
                ("content", lambda: faults.fail_next(-1, 200, b"\x1f\x8b\x08 no gzip at all", "application/json",
                                              (("Content-Encoding", "gzip"),))),
                ("larger than 1", lambda: faults.fail_next(-1, 200, gzip.compress(b" " * (64 << 20)), "application/json",
                                              (("Content-Encoding", "gzip"),))))

    def test_bodies_and_headers_without_end_or_sense_are_named_and_lose_nothing(self):
        self.central()
        self.warm()
        for count in range(1, 6):
            words, harm = self.bodies()[count - 1]
            with self.subTest(words, count=count):
                harm()
                self.lands(count, "backoff", words, self.sim.faults)
        self.assertEqual(list(dict.fromkeys(self.arrived())), [f"n={n}" for n in range(count + 1)])
        if not SANITIZED:
            self.assertLess(self.relay.memory("VmHWM"), 64 * 1024, "KiB at its peak")

    def test_trouble_below_http_is_named_and_loses_nothing(self):
        self.central(timeout="1s")
        self.warm()
        self.sim.stop()
        self.accept(self.relay, result(1))
        self.relay.wait_destination("central", lambda d: d["state"] == "backoff" and "connect" in d["last_error"].lower())
        self.sim.start()
        self.all_well(2)
        for count, (fault, words) in enumerate((("drop_before_apply", "empty"), ("stall_headers", "timed out"),
                                                ("hang_up", "")), 2):
            self.aimed().set(**{fault: -1})
            if fault == "hang_up":
                self.sim.restart()  # so that a new connection is needed
            self.accept(self.relay, result(count))
            status = self.relay.wait_destination("central", lambda d: d["state"] == "backoff" and
                                                 words in d["last_error"].lower())
            self.assertEqual((status["pending"] + status["in_flight"], status["dead"]), (1, 0))
            self.sim.faults.clear()
            self.all_well(count + 1)
        self.assertEqual(list(dict.fromkeys(self.arrived())), [f"n={n}" for n in range(5)])

    def test_a_host_that_no_resolver_knows_is_named(self):
        self.central(url="http://nobody.invalid")
        self.accept(self.relay, result(1))
        status = self.relay.wait_destination("central", lambda d: d["state"] == "backoff" and "nobody.invalid" in
                                             (d["last_error"] or ""))
        self.assertEqual((status["pending"] + status["in_flight"], status["dead"]), (1, 0))


class BadLogins:
    """Of systems with a login: what its answers may be."""

    ANSWERS = [*((status, "text/plain", "backoff") for status in (408, 425, 429, 500, 502, 503, 504)),
               (403, "text/plain", "auth"), (401, "text/plain", "auth"), (404, "text/html", "config"),
               *((status, "text/plain", "config") for status in (400, 405, 415)), (302, "text/html", "config")]

    def test_every_answer_lands_in_its_class_with_the_servers_words(self):
        self.central()
        self.warm()
        for count, (status, kind, state) in enumerate(self.ANSWERS, 1):
            with self.subTest(status=status, kind=kind):
                words = f"the words of {count}"
                self.aimed(self.LOGIN).fail_next(-1, status, f"<html>{words}</html>" if "html" in kind else words, kind)
                self.lands(count, state, words)

    def lands(self, count, state, words):
        self.sim.expire_sessions()
        self.accept(self.relay, result(count))
        seen = self.relay.wait_destination("central", lambda d: d["state"] in state and words in
                                           (d["last_error"] or ""))
        self.assertEqual((seen["pending"] + seen["in_flight"], seen["dead"], seen["delivered"]), (1, 0, count))
        self.sim.faults.clear()
        self.all_well(count + 1)

    def test_a_login_that_gives_no_token_is_named_and_loses_nothing(self):
        self.central()
        self.warm()
        faults = self.aimed(self.LOGIN)
        for count, (body, kind) in enumerate(((HTML, "text/html"), ("", "text/plain"), ("{}", "application/json"),
                                              ('{"token":"a\\r\\nb"}', "application/json"), ("x" * 5000, "text/plain"),
                                              (b"x" * (2 << 20), "text/plain")), 1):
            with self.subTest(body[:20]):
                self.aimed(self.LOGIN).fail_next(-1, 200, body, kind)
                self.lands(count, ("backoff", "config"), "")
        faults.set(aim=self.LOGIN, endless_body=-1)
        self.lands(count + 1, "backoff", "larger than 1")
