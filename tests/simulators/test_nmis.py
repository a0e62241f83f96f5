"""The outages simulator by itself: what it says must be what its documents and its core say, or it proves nothing."""

import datetime
import http.client
import json
import unittest
import urllib.parse
import zoneinfo

from simulators import nmis, nmis_time

LIST = "/en/omk/admin/api/v3/outages"
LOGIN = "/en/omk/admin/login"
ONE = {"change_id": "ticket #1", "description": "swap", "nodes": ["sw1"], "start": "2026-03-01T22:00:00+00:00",
       "end": "2026-03-02T02:00:00+00:00"}


def epoch(text):
    return int(datetime.datetime.fromisoformat(text).timestamp())


class Client:
    """Keeps a jar, as a browser does."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        self.jar = {}

    def ask(self, method, path, body=None, kind="application/json", accept="application/json"):
        headers = {"Accept": accept}
        if self.jar:
            headers["Cookie"] = "; ".join(f"{n}={v}" for n, v in self.jar.items())
        if body is not None:
            headers["Content-Type"] = kind
            body = body if isinstance(body, (str, bytes)) else json.dumps(body)
        self.connection.request(method, path, body, headers)
        response = self.connection.getresponse()
        for name, value in response.getheaders():
            if name.lower() == "set-cookie":
                cookie, _, text = value.partition(";")[0].partition("=")
                self.jar[cookie] = text
        data = response.read()
        if "json" in response.headers.get("Content-Type", ""):
            data = json.loads(data)
        return response.status, data

    def login(self, user="relay", password="mysecret"):
        form = urllib.parse.urlencode({"username": user, "password": password})
        return self.ask("POST", LOGIN, form, "application/x-www-form-urlencoded")


class NmisCase(unittest.TestCase):
    options = {}

    def setUp(self):
        self.sim = nmis.Nmis(**self.options).start()
        self.addCleanup(self.sim.stop)
        self.client = Client(self.sim.port)
        self.addCleanup(self.client.connection.close)


class Session(NmisCase):
    def test_nothing_is_told_without_a_session(self):
        status, answer = self.client.ask("GET", LIST)
        self.assertEqual((status, answer), (401, {"error": "You are not authenticated."}))

    def test_a_form_login_sets_a_cookie_that_opens_the_list(self):
        self.assertEqual(self.client.login()[0], 200)
        self.assertEqual(self.client.ask("GET", LIST), (200, []))

    def test_a_json_login_does_too(self):
        self.client.ask("POST", LOGIN, {"username": "relay", "password": "mysecret"})
        self.assertEqual(self.client.ask("GET", LIST)[0], 200)

    def test_the_whole_jar_is_wanted(self):
        self.client.login()
        del self.client.jar["omk_lang"]
        self.assertEqual(self.client.ask("GET", LIST)[0], 401)

    def test_a_wrong_password_is_told_in_three_ways(self):
        for how, status in (("401", 401), ("403", 403), ("page", 200)):
            self.sim.failed_login = how
            self.assertEqual(self.client.login(password="no")[0], status)
            self.assertEqual(self.client.ask("GET", LIST)[0], 401)

    def test_a_lost_session_is_told_in_three_ways(self):
        for how, status in (("401", 401), ("page", 200), ("redirect", 302)):
            self.sim.refusal = how
            self.client.login()
            self.sim.expire_sessions()
            self.assertEqual(self.client.ask("GET", LIST)[0], status)

    def test_an_unused_session_ends(self):
        now = [1000.0]
        self.sim.clock, self.sim.session_seconds = lambda: now[0], 60
        self.client.login()
        now[0] += 50
        self.assertEqual(self.client.ask("GET", LIST)[0], 200)
        now[0] += 61
        self.assertEqual(self.client.ask("GET", LIST)[0], 401)

    def test_a_blind_user_is_told_403_and_404(self):
        self.sim.blind.add("relay")
        self.client.login()
        self.assertEqual(self.client.ask("GET", LIST)[0], 403)
        self.assertEqual(self.client.ask("POST", LIST, ONE)[0], 404)


class Crud(NmisCase):
    def setUp(self):
        super().setUp()
        self.client.login()

    def test_create_read_update_delete(self):
        status, made = self.client.ask("POST", LIST, ONE)
        self.assertEqual((status, made["success"]), (201, 1))
        status, read = self.client.ask("GET", f"{LIST}/{made['id']}")
        self.assertEqual((status, read["nodes"], read["frequency"], read["start"]),
                         (200, {"name": ["sw1"]}, "once", epoch("2026-03-01T22:00+00:00")))
        self.assertNotIn("element", read)
        self.assertEqual(self.client.ask("PUT", f"{LIST}/{made['id']}", {**ONE, "change_id": "x"})[0], 201)
        self.sim.put_status = 200
        self.assertEqual(self.client.ask("PUT", f"{LIST}/{made['id']}", {**ONE, "change_id": "y"})[0], 200)
        self.assertEqual(self.client.ask("DELETE", f"{LIST}/{made['id']}"), (200, {"success": 1}))
        self.assertEqual(self.client.ask("DELETE", f"{LIST}/{made['id']}")[0], 400)
        self.assertEqual(self.client.ask("GET", f"{LIST}/{made['id']}")[0], 404)
        self.assertEqual([i.operation for i in self.sim.journal], ["create", "update", "update", "delete"])

    def test_elements_are_written_and_element_is_read(self):
        elements = [{"node_name": "sw1", "element_name": "regex:^Vlan"}]
        made = self.client.ask("POST", LIST, {**ONE, "nodes": [], "elements": elements})[1]["id"]
        read = self.client.ask("GET", f"{LIST}/{made}.json", accept="*/*")[1]
        self.assertEqual((read["nodes"], read["element"]), ({}, elements))
        self.assertNotIn("elements", read)

    def test_v2_hides_element_outages_and_shows_plain_nodes(self):
        self.client.ask("POST", LIST, ONE)
        self.client.ask("POST", LIST, {**ONE, "elements": [{"node_name": "sw1", "element_name": "Vlan2"}]})
        v2 = self.client.ask("GET", LIST.replace("v3", "v2"))[1]
        self.assertEqual([o["nodes"] for o in v2], [["sw1"]])
        self.assertEqual(len(self.client.ask("GET", LIST)[1]), 2)

    def test_an_update_is_absolute(self):
        made = self.client.ask("POST", LIST, ONE)[1]["id"]
        self.client.ask("PUT", f"{LIST}/{made}", {n: ONE[n] for n in ("nodes", "start", "end")})
        self.assertEqual(self.client.ask("GET", f"{LIST}/{made}")[1]["change_id"], "")

    def test_the_read_shape_is_refused_when_sent(self):
        made = self.client.ask("POST", LIST, ONE)[1]["id"]
        read = self.client.ask("GET", f"{LIST}/{made}")[1]
        self.assertEqual(self.client.ask("PUT", f"{LIST}/{made}", read)[0], 400)

    def test_both_styles_of_path(self):
        self.client.ask("POST", "/omk/admin/v3/outages", ONE)
        self.assertEqual(len(self.client.ask("GET", LIST + ".json", accept="*/*")[1]), 1)
        self.assertEqual(self.client.ask("GET", "/nowhere")[0], 404)

    def test_html_without_an_accept_header(self):
        self.assertIn(b"<html>", self.client.ask("GET", LIST, accept="text/html")[1])

    def test_bad_payloads_are_told(self):
        for body, words in (("{", "malformed"), ([], "no object"), ({**ONE, "start": "soon"}, "invalid start argument"),
                            ({**ONE, "frequency": "yearly"}, "invalid frequency"), ({**ONE, "nodes": []}, "at least"),
                            ({**ONE, "start": ONE["end"]}, "start is later than end"),
                            ({**ONE, "frequency": "daily", "start": "24:01", "end": "1:00"}, "invalid start")):
            status, answer = self.client.ask("POST", LIST, body)
            self.assertEqual(status, 400)
            self.assertIn(words, answer["error"])

    def test_current_is_told(self):
        self.sim.clock = lambda: epoch("2026-03-01T23:00+00:00")
        made = self.client.ask("POST", LIST, ONE)[1]["id"]
        self.assertEqual(self.client.ask("GET", f"{LIST}/{made}")[1]["current"], "current")
        self.sim.clock = lambda: epoch("2026-03-03T00:00+00:00")
        self.assertIsNone(self.client.ask("GET", f"{LIST}/{made}")[1]["current"])


class Times(unittest.TestCase):
    def test_the_documents_example_is_local_time_of_a_server_ten_hours_east(self):
        brisbane = zoneinfo.ZoneInfo("Australia/Brisbane")
        self.assertEqual(nmis_time.once("11-May-2023 23:21:03", brisbane, 0), 1683811263)

    def test_iso_with_and_without_a_zone(self):
        zone = zoneinfo.ZoneInfo("Europe/Stockholm")
        self.assertEqual(nmis_time.once("2023-10-31T03:00:00+0000", zone, 0), epoch("2023-10-31T03:00+00:00"))
        self.assertEqual(nmis_time.once("2023-10-31T03:00:00 junk", zone, 0), epoch("2023-10-31T03:00+01:00"))
        self.assertEqual(nmis_time.once("1683811263.5", zone, 0), 1683811263)

    def in_outage(self, frequency, start, end, at, zone="UTC", quirks=False):
        outage = {"frequency": frequency, "start": start, "end": end}
        return nmis_time.state(outage, epoch(at), zoneinfo.ZoneInfo(zone), quirks)[0] == "current"

    def test_windows_over_midnight_and_inclusive_ends(self):
        for at, expected in (("21:59:59", False), ("22:00:00", True), ("00:00:00", True), ("06:00:00", True),
                             ("06:00:01", False)):
            self.assertEqual(self.in_outage("daily", "22:00", "06:00", f"2026-05-05T{at}+00:00"), expected, at)

    def test_midnight_as_24(self):
        self.assertTrue(self.in_outage("daily", "22:00", "24:00", "2026-05-05T00:00:00+00:00"))
        self.assertFalse(self.in_outage("daily", "22:00", "24:00", "2026-05-05T00:00:01+00:00"))

    def test_friday_to_monday(self):
        for day, expected in ((1, True), (2, True), (4, True), (5, False), (7, False)):  # May 2026 begins on a Friday
            self.assertEqual(self.in_outage("weekly", "Friday 18:00", "mon 20:00",
                                            f"2026-05-{day:02}T19:00:00+00:00"), expected, day)

    def test_last_day_of_the_month(self):
        self.assertTrue(self.in_outage("monthly", "-1 10:00", "-1 11:00", "2026-02-28T10:30:00+00:00"))
        self.assertFalse(self.in_outage("monthly", "-1 10:00", "-1 11:00", "2026-03-30T10:30:00+00:00"))

    def test_the_core_fails_over_a_31st_that_is_not_there(self):
        with self.assertRaises(nmis_time.Invalid):
            self.in_outage("monthly", "31 10:00", "31 11:00", "2026-04-30T10:30:00+00:00", quirks=True)
        self.assertTrue(self.in_outage("monthly", "31 10:00", "31 11:00", "2026-04-30T10:30:00+00:00"))

    def test_nights_when_the_clock_changes(self):
        zone = "Europe/Stockholm"
        self.assertTrue(self.in_outage("daily", "02:30", "04:00", "2026-03-29T01:30:00+00:00", zone))
        self.assertFalse(self.in_outage("daily", "02:30", "04:00", "2026-03-29T01:29:59+00:00", zone))
        with self.assertRaises(nmis_time.Invalid):
            self.in_outage("daily", "02:30", "04:00", "2026-03-29T01:30:00+00:00", zone, quirks=True)
        self.assertTrue(self.in_outage("daily", "02:10", "02:50", "2026-10-25T00:10:00+00:00", zone))
        self.assertTrue(self.in_outage("daily", "02:10", "02:50", "2026-10-25T01:50:00+00:00", zone))


class Matching(unittest.TestCase):
    outage = {"nodes": ["sw1", "sw2"], "elements": [{"node_name": "sw1", "element_name": "Vlan2"},
                                                    {"node_name": "sw1", "element_name": "iregex:^gi"}]}

    def test_any_entry_is_enough(self):
        self.assertTrue(nmis.matches(self.outage, "sw1", "Vlan2"))
        self.assertTrue(nmis.matches(self.outage, "sw1", "Gi0/1"))
        self.assertFalse(nmis.matches(self.outage, "sw1", "Fa0/1"))
        self.assertFalse(nmis.matches(self.outage, "SW1", "Vlan2"))

    def test_the_core_wants_every_entry(self):
        self.assertFalse(nmis.matches(self.outage, "sw1", "Vlan2", core_quirks=True))
        self.assertTrue(nmis.matches({"nodes": [], "elements": self.outage["elements"]}, "x", None, True))


if __name__ == "__main__":
    unittest.main()
