"""The scenarios of planned outages: windows of every kind, and a source that is away, hostile or in trouble."""

import datetime
import gzip
import json
import time
import zoneinfo

from simulators.nmis import Nmis

from .harness import PATIENCE, Case, result, wait_until
from .hostile import Elsewhere
from .scenarios import HTML, NAMES
from .tls import Authority
from .upstreams import PASSWORD

STOCKHOLM = "Europe/Stockholm"
LIST, LOGIN = "GET /en/omk/admin/api/v3/outages", "POST /en/omk/admin/login"
# (frequency, start, end), and civil times in Stockholm that are in it and that are not; +fold=1: the second of two.
WINDOWS = (
    (("daily", "22:00", "06:00"),
     ("2026-06-10T22:00:00", "2026-06-10T23:59:59", "2026-06-11T00:00:00", "2026-06-11T06:00:00"),
     ("2026-06-10T21:59:59", "2026-06-11T06:00:01", "2026-06-10T12:00:00")),
    (("daily", "22:00", "24:00"), ("2026-06-10T22:00:00", "2026-06-10T23:59:59", "2026-06-11T00:00:00"),
     ("2026-06-11T00:00:01", "2026-06-10T21:59:59")),
    (("daily", "00:00", "24:00"), ("2026-06-10T00:00:00", "2026-06-10T12:00:00", "2026-03-29T03:00:00"), ()),
    (("weekly", "Fri 22:00", "Mon 06:00"),
     ("2026-06-12T22:00:00", "2026-06-13T12:00:00", "2026-06-14T23:59:59", "2026-06-15T06:00:00"),
     ("2026-06-12T21:59:59", "2026-06-15T06:00:01", "2026-06-17T12:00:00")),
    (("monthly", "31 10:00", "31 12:00"),  # of a shorter month its last day
     ("2026-05-31T10:00:00", "2026-07-31T12:00:00", "2026-06-30T11:00:00", "2026-02-28T11:00:00"),
     ("2026-05-31T12:00:01", "2026-05-30T11:00:00", "2026-07-01T11:00:00")),
    (("monthly", "-1 22:00", "-1 24:00"),
     ("2026-01-31T23:00:00", "2026-02-28T22:00:00", "2024-02-29T23:00:00", "2026-03-01T00:00:00"),
     ("2026-01-30T23:00:00", "2024-02-28T23:00:00", "2026-03-01T00:00:01")),
    (("daily", "02:30", "02:45"),
     ("2026-03-28T02:30:00", "2026-03-29T03:30:00", "2026-03-29T03:45:00", "2026-10-25T02:30:00",
      "2026-10-25T02:45:00", "2026-10-25T02:45:00+fold=1"),
     ("2026-03-29T03:00:00", "2026-03-29T01:59:59", "2026-10-25T02:29:59", "2026-10-25T02:45:01+fold=1")),
)


def epoch(text):
    civil, fold, _ = text.partition("+fold=1")
    when = datetime.datetime.fromisoformat(civil).replace(tzinfo=zoneinfo.ZoneInfo(STOCKHOLM), fold=bool(fold))
    return int(when.timestamp())


class OutageCase(Case):
    def nmis(self, **options):
        self.sim = Nmis(users={"relay": PASSWORD}, **options).start()
        self.addCleanup(self.sim.stop)
        return self.sim

    def source(self, **options):
        return {"type": "opmantek", "name": "nmis", "url": self.sim.url + "/en/omk", "username": "relay",
                "password": PASSWORD, "refresh": "50ms", "zone": STOCKHOLM, **options}

    def followed(self):
        """A list that was asked for from now on has come."""
        seen = len(self.sim.requests)
        self.assertTrue(self.sim.wait(lambda: any(f"{r.method} {r.path}" == LIST and r.status == 200
                                                  for r in self.sim.requests[seen:]), PATIENCE))
        wait_until(lambda: self.row()["state"] == "ok", "the source to be well")

    def row(self):
        return next(o for o in self.relay.status()["outages"] if o["name"] == "nmis")

    def away(self, words):
        """The trouble is told in these words."""
        self.told(words, lambda row: row["state"] == "away")

    def told(self, words, condition=lambda row: True):
        rows = [self.row()]

        def look():
            rows[0] = self.row()
            return condition(rows[0]) and rows[0]["last_error"] is not None and words in rows[0]["last_error"]
        try:
            wait_until(look, repr(words))
        except AssertionError as error:
            raise AssertionError(f"{error}: {rows[0]}") from None
        self.assertLessEqual(len(rows[0]["last_error"].encode()), 500)

    def is_marked(self, host="db1"):
        self.count = getattr(self, "count", 0) + 1
        self.accept(self.relay, result(self.count, host))
        return "[planned outage" in self.wait_delivered(self.count)[-1]["output"]

    def begin(self, tls=None, **options):
        """An agent that knows one outage of db1, and counts on the list for long."""
        if not hasattr(self, "sim"):
            self.nmis()
        now = int(time.time())
        self.sim.add(nodes=["db1"], start=now - 3600, end=now + 7200)
        self.relay = self.agent(outages=[self.source(**options)])
        return self.sim.faults


class Windows(OutageCase):
    def judged(self):
        """Sends a result at each of the times and compares the marks."""
        wanted = {}
        for n, (_, inside, outside) in enumerate(WINDOWS):
            wanted |= {(f"w{n}", text): True for text in inside} | {(f"w{n}", text): False for text in outside}
        self.accept(self.relay, *({"host": host, "service": text, "state": 0, "output": "x", "time": epoch(text)}
                                  for host, text in wanted))
        rows = self.wait_delivered(len(wanted))
        self.assertEqual({(r["host"], r["service"]): "planned" in r["output"] for r in rows}, wanted)

    def test_local_windows_are_what_they_say_to_the_second(self):
        self.relay = self.agent(outages=[
            {"type": "local", "name": f"n{n}", "nodes": [f"w{n}"], "zone": STOCKHOLM, "frequency": frequency,
             "start": start, "end": end} for n, ((frequency, start, end), _, _) in enumerate(WINDOWS)])
        self.judged()

    def test_windows_of_a_source_are_what_they_say_to_the_second(self):
        self.nmis(zone=STOCKHOLM)
        for n, ((frequency, start, end), _, _) in enumerate(WINDOWS):
            self.sim.put_raw(str(n), nodes=[f"w{n}"], frequency=frequency, start=start, end=end)
        self.relay = self.agent(outages=[self.source()])
        self.followed()
        self.judged()


class Readings(OutageCase):
    def test_times_as_texts_and_a_current_that_says_pending_change_nothing(self):
        self.nmis()
        self.sim.times_as_strings, self.sim.current_of_future = True, "pending"
        now = int(time.time())
        self.sim.add(nodes=["later"], start=now + 3600, end=now + 7200)
        self.begin()
        self.followed()
        self.assertEqual((self.is_marked(), self.is_marked("later")), (True, False))

    def test_either_form_of_login_and_any_name_of_the_cookie_will_do(self):
        for form, cookie in (("form", "mojolicious"), ("json", "omk_session")):
            with self.subTest(form):
                self.nmis()
                self.sim.login_form, self.sim.cookie_name = form, cookie
                self.begin(login=form)
                self.followed()
                self.assertEqual(self.relay.stop(), 0)

    def test_either_path_will_do(self):
        for url, api in (("/en/omk", "/admin/api/v3"), ("/omk", "/admin/v3"), ("", "/admin/api/v3")):
            with self.subTest(url):
                self.nmis()
                self.begin(url=self.sim.url + url, api=api)
                wait_until(lambda: self.row()["outages"] == 1, "the list")
                self.assertEqual(self.relay.stop(), 0)

    def test_a_wrong_password_is_told_however_the_server_puts_it(self):
        for how in ("401", "403", "page"):
            with self.subTest(how):
                self.nmis()
                self.sim.failed_login = how
                self.begin(password="wr0ng-w0rd")
                self.told("login")
                self.assertNotIn("wr0ng-w0rd", json.dumps(self.relay.status()) + self.relay.stderr())
                self.assertFalse(self.is_marked())
                self.count = 0
                (self.directory / "out.jsonl").unlink()
                self.assertEqual(self.relay.stop(), 0)

    def test_a_change_that_needs_more_than_we_have_is_told_in_the_servers_words(self):
        self.nmis()
        self.sim.csrf_header = "X-CSRF-Token"
        self.begin()
        self.followed()
        done = self.relay.cli("upstream", "nmis", "outages", "create", "--node", "a", "--start",
                              "2027-03-01T22:00:00+01:00", "--end", "2027-03-02T22:00:00+01:00")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("Bad CSRF token!", done.stderr)

    def test_frequency_is_sent_even_where_it_is_once(self):
        self.nmis()
        self.begin()
        self.sim.frequency_required = True
        done = self.relay.cli("upstream", "nmis", "outages", "create", "--node", "a", "--start",
                              "2027-03-01T22:00:00+01:00", "--end", "2027-03-02T22:00:00+01:00")
        self.assertEqual(done.returncode, 0, done.stderr)


class BadAnswers(OutageCase):
    """The list that was there counts on, and the trouble is told."""

    def lasts(self, words, harm, heal=None):
        with self.subTest(words):
            harm()
            self.away(words)
            self.assertTrue(self.is_marked())
            (heal or self.sim.faults.clear)()
            self.followed()

    def test_every_answer_to_the_list_is_told_in_the_servers_words(self):
        faults = self.begin()
        self.followed()
        for status in (400, 401, 403, 404, 405, 406, 408, 415, 422, 425, 429, 500, 502, 503, 504):
            words = f"the words of {status}"
            faults.set(aim=LIST)
            self.lasts(words, lambda: faults.fail_next(-1, status, words, "text/plain"))

    def test_every_answer_to_the_login_is_told_in_the_servers_words(self):
        faults = self.begin()
        self.followed()
        for status in (400, 401, 403, 404, 405, 429, 500, 502, 503):
            words = f"the words of {status}"

            def harm():
                faults.set(aim=LOGIN)
                faults.fail_next(-1, status, words, "text/plain")
                self.sim.expire_sessions()

            self.lasts(words, harm)

    def test_a_list_that_is_no_list_is_named(self):
        faults = self.begin()
        self.followed()
        for body, kind, words in ((HTML, "text/html", "page"), ("", "application/json", 'no JSON: ""'),
                                  ("{}", "application/json", ""), ('[{"id":', "application/json", ""),
                                  ("[" * 5000, "application/json", ""), ("plain", "text/plain", ""),
                                  (b"[" + b" " * (2 << 20) + b"]", "application/json", "larger than 1"),
                                  (b"\xff\xfe[]", "application/json", "")):
            faults.set(aim=LIST)
            self.lasts(words, lambda: faults.fail_next(-1, 200, body, kind))

    def test_bodies_and_headers_without_end_or_sense_are_named(self):
        faults = self.begin(timeout="2s")
        self.followed()
        for words, fault in (("larger than 1", {"endless_body": -1}), ("larger than", {"endless_headers": -1}),
                             ("timed out", {"stall_headers": -1}), ("", {"drop_before_apply": -1})):
            self.lasts(words, lambda: faults.set(aim=LIST, **({} if "endless" in str(fault) else fault)) or
                       faults.set(**fault))
        bomb = gzip.compress(b" " * (64 << 20))
        self.lasts("larger than 1", lambda: faults.fail_next(-1, 200, bomb, "application/json",
                                                             [("Content-Encoding", "gzip")]))

    def test_answers_in_every_dress_are_read(self):
        faults = self.begin()
        for dress in ({"chunked": True}, {"gzip": "always"}, {"connection_close": True}, {"stale_keepalive": 3},
                      {"latency_ms": 50}, {"content_type": "text/plain"}):
            faults.set(**dress)
            self.followed()
            self.assertTrue(self.is_marked(), dress)
            faults.clear()

    def test_retry_after_is_waited_for_where_it_is_longer_than_the_refresh(self):
        faults = self.begin()
        self.followed()
        faults.set(aim=LIST)
        faults.fail_next(1, 503, "wait", "text/plain", [("Retry-After", "2")])
        self.away("wait")
        self.followed()
        asked = [r for r in list(self.sim.requests) if f"{r.method} {r.path}" == LIST]
        refused = next(n for n, r in enumerate(asked) if r.status == 503)
        self.assertGreaterEqual(asked[refused + 1].received - asked[refused].received, 1.99)

    def test_a_server_that_is_away_is_told_and_found_again(self):
        self.begin()
        self.followed()
        self.lasts("connect", self.sim.stop, self.sim.start)
        self.lasts("", lambda: self.sim.faults.set(hang_up=-1) or self.sim.restart())

    def test_awkward_node_names_are_matched_as_they_are(self):
        now = int(time.time())
        self.nmis()
        names = [name.strip() for name in NAMES]
        self.sim.add(nodes=names[::2], start=now - 3600, end=now + 3600)
        self.relay = self.agent(outages=[self.source()])
        self.followed()
        self.accept(self.relay, *(result(n, host=name) for n, name in enumerate(names)))
        rows = self.wait_delivered(len(names))
        self.assertEqual({r["host"] for r in rows if "planned" in r["output"]}, set(names[::2]))


class Strangers(OutageCase):
    def setUp(self):
        super().setUp()
        self.authority = Authority(self.directory)

    def refused(self, words, cert, key):
        self.nmis(cert=cert, key=key)
        self.begin(ca_file=self.authority.cert)
        self.told(words)
        self.assertFalse(self.is_marked())
        self.assertEqual(self.sim.requests, [])
        self.sim.use_certificate(*self.authority.issue("good", "IP:127.0.0.1"))
        self.followed()
        self.assertTrue(self.is_marked())

    def test_an_expired_certificate_is_refused_by_that_name(self):
        self.refused("certificate has expired", *self.authority.issue("old", "IP:127.0.0.1", days=-1))

    def test_a_certificate_for_another_name_is_refused_by_that_name(self):
        self.refused("name", *self.authority.issue("other", "DNS:other.example.com"))

    def test_a_self_signed_certificate_is_refused_by_that_name(self):
        alone = Authority(self.directory, "Alone", alternative="IP:127.0.0.1")
        self.refused("signed certificate", alone.cert, alone.key)

    def test_no_redirect_is_followed_and_nobody_else_is_shown_a_secret(self):
        with Elsewhere() as elsewhere:
            faults = self.begin()
            self.followed()
            for aim in (LIST, LOGIN):
                for status in (301, 302, 303, 307, 308):
                    target = f"{elsewhere.url}/omk/admin/login?seen={status}"
                    faults.set(aim=aim)
                    faults.fail_next(-1, status, HTML, "text/html", [("Location", target)])
                    self.sim.expire_sessions()
                    self.away(target)
                    faults.clear()
                    self.followed()
            self.assertEqual((elsewhere.connections, elsewhere.requests), (0, []))

    def test_secrets_are_in_no_log_status_or_url(self):
        self.nmis()
        now = int(time.time())
        self.sim.add(nodes=["db1"], start=now - 3600, end=now + 7200)
        self.relay = self.agent(outages=[self.source()], log={"level": "trace"})
        self.followed()
        cookie = next(iter(self.sim.sessions))
        self.sim.faults.set(aim=LIST)
        self.sim.faults.fail_next(-1, 503, f"you said {PASSWORD} and {cookie}", "text/plain")
        self.away("you said")
        told = json.dumps(self.relay.status()) + self.relay.stderr() + self.relay.cli("status").stdout
        told += self.relay.cli("upstream", "nmis", "outages", "list").stderr
        told += "".join(r.target for r in list(self.sim.requests))
        for secret in (PASSWORD, cookie):
            self.assertNotIn(secret, told)
