"""Planned outages: what they do to results, where they come from, and what operators and neighbours can ask."""

import http.client
import json
import time
import urllib.parse

from simulators.nmis import Nmis

from .harness import PATIENCE, Case, free_port, result, run, wait_until

HOUR = 3600


class OutagesCase(Case):
    def nmis(self, **options):
        self.sim = Nmis(**options).start()
        self.addCleanup(self.sim.stop)
        return self.sim

    def source(self, **options):
        return {"type": "opmantek", "name": "nmis", "url": self.sim.url + "/en/omk", "username": "relay",
                "password": "mysecret", "refresh": "100ms", "zone": "UTC", **options}

    def window(self, start=-HOUR, end=HOUR, **fields):
        now = int(time.time())
        return {"start": str(now + start), "end": str(now + end), **fields}

    def marked(self, agent, n=1, **more):
        """Hands results in until one of them comes out marked; returns its output."""
        seen = []

        def look():
            self.accept(agent, result(n + len(seen), **more))
            self.wait_delivered(len(seen) + 1)
            seen.append(self.outputs()[-1])
            return "[planned outage" in seen[-1]

        wait_until(look, "a mark")
        return seen[-1]


class LocalOutages(OutagesCase):
    def test_results_are_marked_by_their_own_time(self):
        agent = self.agent(outages=[{"type": "local", "name": "swap", "nodes": ["db1"], "description": "disk swap",
                                     "change_id": "CHG-7", **self.window()}])
        self.accept(agent, result(1), result(2, time=int(time.time()) - 2 * HOUR), result(3, host="db2"))
        self.wait_delivered(3)
        self.assertEqual(sorted(self.outputs()), ["n=1 [planned outage: disk swap (CHG-7)]", "n=2", "n=3"])

    def test_elements_mean_single_services(self):
        agent = self.agent(outages=[{"type": "local", "name": "swap", "elements": ["db1:regex:^Disk"],
                                     **self.window()}])
        self.accept(agent, result(1, service="Disk /"), result(2, service="Load"))
        self.wait_delivered(2)
        self.assertEqual(sorted(self.outputs()), ["n=1 [planned outage]", "n=2"])

    def test_of_what_is_held_the_newest_is_delivered_when_the_window_ends(self):
        agent = self.agent(outages=[{"type": "local", "name": "swap", "nodes": ["db1"], "effect": "hold",
                                     **self.window(end=5)}])
        self.accept(agent, result(1), result(2, host="db2"))
        self.wait_delivered(1)
        self.assertEqual(self.outputs(), ["n=2"])
        self.accept(agent, result(3))
        self.accept(agent, result(4), result(5, service="Load"))
        self.wait_delivered(3)
        self.assertEqual(sorted(self.outputs()), ["n=2", "n=4", "n=5"])
        status = agent.wait_destination("out", lambda d: d["delivered"] == 3)
        self.assertEqual((status["superseded"], status["delivered"], status["pending"], status["dead"]), (2, 3, 0, 0))

    def test_a_reload_ends_an_outage(self):
        agent = self.agent(outages=[{"type": "local", "name": "swap", "nodes": ["db1"], **self.window()}])
        self.accept(agent, result(1))
        self.wait_delivered(1)
        config = self.config()
        agent.write(config)
        agent.reload()
        seen = [1]

        def unmarked():
            seen.append(seen[-1] + 1)
            self.accept(agent, result(seen[-1]))
            return self.wait_delivered(seen[-1])[-1]["output"] == f"n={seen[-1]}"

        wait_until(unmarked, "an output without a mark")

    def test_faults_are_named(self):
        bad = [({"start": "soon"}, "start: "), ({"zone": "Mars/Base"}, "zone: "), ({"nodes": []}, "nodes or elements"),
               ({"elements": ["db1:regex:(?=x)"]}, "pattern"), ({"service": "x"}, "service: "),
               ({"effect": "drop"}, "effect"), ({"name": "out"}, '"out" is the name of a destination')]
        for n, (fields, words) in enumerate(bad):
            agent = self.agent(start=False, outages=[{"type": "local", "name": "swap", "nodes": ["db1"],
                                                      **self.window(), **fields}])
            checked = run("check", "--config", agent.file)
            self.assertEqual(checked.returncode, 1, fields)
            self.assertIn(words, checked.stderr, n)


class NmisOutages(OutagesCase):
    def test_the_list_is_followed(self):
        sim = self.nmis()
        agent = self.agent(outages=[self.source()])
        number = sim.add(nodes=["db1"], description="swap", **self.window())
        self.assertIn("[planned outage: swap]", self.marked(agent))
        sim.remove(number)
        count = len(self.outputs())

        def unmarked():
            nonlocal count
            count += 1
            self.accept(agent, result(count))
            return "planned" not in self.wait_delivered(count)[-1]["output"]

        wait_until(unmarked, "an output without a mark")

    def listed(self, since):
        return any(r.method == "GET" and r.status == 200 for r in self.sim.requests[since:])

    def test_a_lost_session_is_made_anew_in_each_way_that_it_is_told(self):
        sim = self.nmis()
        self.agent(outages=[self.source()])
        for how in ("401", "page", "redirect"):
            sim.refusal = how
            seen = len(sim.requests)
            self.assertTrue(sim.wait(lambda: self.listed(seen), PATIENCE), how)
            before, seen = sim.logins, len(sim.requests)
            sim.expire_sessions()
            self.assertTrue(sim.wait(lambda: sim.logins > before and self.listed(seen), PATIENCE), how)

    def test_without_its_source_the_list_counts_until_it_is_stale_and_then_nothing_is_marked(self):
        sim = self.nmis()
        sim.add(nodes=["db1"], **self.window())
        agent = self.agent(outages=[self.source(max_stale="2s")])
        self.marked(agent)
        sim.stop()
        count = len(self.outputs())

        def unmarked():
            nonlocal count
            count += 1
            self.accept(agent, result(count))
            return "planned" not in self.wait_delivered(count)[-1]["output"]

        wait_until(unmarked, "an output without a mark")
        log = agent.stderr()
        self.assertEqual(log.count("the list cannot be had"), 1, log)
        self.assertEqual(log.count("too old"), 1, log)
        sim.start()
        self.marked(agent, count + 1)

    def output_of(self, agent, n):
        """Hands one result in; its output as it came out."""
        self.accept(agent, result(n))
        mine = []  # an agent that was killed may tell older ones again

        def come():
            mine[:] = [o for o in self.outputs() if o.split()[0] == f"n={n}"]
            return mine

        wait_until(come, f"result {n}")
        return mine[0]

    def source_status(self, agent):
        return agent.status()["outages"][0]

    def test_an_agent_that_starts_while_the_source_is_away_knows_the_last_list(self):
        sim = self.nmis()
        sim.add(nodes=["db1"], description="swap", **self.window())
        agent = self.agent(outages=[self.source()])
        self.marked(agent)
        kept = self.directory / "state" / "outages.kept"
        wait_until(kept.exists, "the list on disk")
        sim.stop()
        agent.kill()
        agent.start()
        self.assertEqual(self.output_of(agent, 100), "n=100 [planned outage: swap]")
        wait_until(lambda: self.source_status(agent)["state"] == "away", "the state")
        self.assertEqual(self.source_status(agent)["outages"], 1)
        agent.stop()
        kept.write_bytes(kept.read_bytes()[:-1] + b"x")
        agent.start()
        self.assertEqual(self.output_of(agent, 101), "n=101")
        self.assertEqual(agent.stderr().count("what was kept cannot be read"), 1)
        wait_until(lambda: self.source_status(agent)["state"] == "stale", "the state")
        sim.start()
        wait_until(lambda: self.source_status(agent)["state"] == "ok", "the state")
        self.assertIn("swap", self.output_of(agent, 102))

    def test_status_tells_of_sources(self):
        sim = self.nmis()
        sim.add(nodes=["db1"], **self.window())
        sim.add(nodes=["db1"], **self.window(start=HOUR, end=2 * HOUR))
        sim.put_raw("bad", nodes=["db1"], start="soon", end="later")
        agent = self.agent(outages=[self.source(), {"type": "local", "name": "swap", "nodes": ["db1"],
                                                    "effect": "hold", **self.window(end=-1)}])
        wait_until(lambda: self.source_status(agent)["state"] == "ok", "the list")
        nmis, local = agent.status()["outages"]
        self.assertEqual({k: nmis[k] for k in ("name", "type", "effect", "outages", "in_force", "left_out", "last_error")},
                         {"name": "nmis", "type": "opmantek", "effect": "mark", "outages": 3, "in_force": 1,
                          "left_out": 1, "last_error": None})
        self.assertEqual((local["name"], local["state"], local["fetched"], local["in_force"]), ("swap", "ok", None, 0))
        shown = agent.cli("status")
        self.assertEqual(shown.returncode, 0)
        self.assertRegex(shown.stdout, r"nmis +opmantek +ok +mark +3 +1 +\d{4}-")
        metrics = agent.http("GET", "/metrics").body.decode()
        self.assertIn('checkrelay_outages_in_force{source="nmis"} 1', metrics)
        self.assertIn('checkrelay_outage_source_state{source="swap",state="ok"} 1', metrics)
        sim.stop()
        wait_until(lambda: agent.cli("status").returncode == 1, "the trouble")
        self.assertIn("nmis: ", agent.cli("status").stdout.split("OUTAGES")[1])

    def test_a_server_that_talks_nonsense_harms_nobody(self):
        sim = self.nmis()
        sim.put_raw("bad", nodes=["db1"], start="soon", end="later")
        sim.put_raw("worse", frequency="yearly", nodes=["db1"], start="1", end="2")
        sim.add(elements=[{"node_name": "db1", "element_name": "regex:(?<=x)"},
                          {"node_name": "db1", "element_name": "Backup"}], **self.window())
        agent = self.agent(outages=[self.source()])
        self.marked(agent)
        self.assertEqual(agent.stderr().count("one is left out"), 3)

    def test_the_password_is_in_no_log(self):
        sim = self.nmis(users={"relay": "other"})
        agent = self.agent(outages=[self.source()])
        self.assertTrue(sim.wait(lambda: sim.logins >= 2, PATIENCE))
        wait_until(lambda: "cannot be had" in agent.stderr(), "the warning")
        self.assertNotIn("mysecret", agent.stderr())


    def held(self, agent):
        return agent.destination("out")["held"]

    def test_what_is_held_is_told_and_goes_soon_after_its_outage_is_deleted_or_changed(self):
        sim = self.nmis()
        agent = self.agent(outages=[self.source(effect="hold")])
        number = sim.add(nodes=["db1", "db2"], **self.window())
        wait_until(lambda: agent.status()["outages"][0]["in_force"] == 1, "the outage")
        self.accept(agent, result(1), result(2, host="db2"), result(3, host="db3"))
        self.assertEqual(self.wait_delivered(1)[0]["output"], "n=3")
        wait_until(lambda: self.held(agent) == 2, "two held")
        shown = agent.cli("status")
        self.assertEqual(shown.returncode, 0, "it is as it should be")
        self.assertEqual(agent.destination("out")["state"], "held")
        self.assertIn("out: planned outages hold 2", shown.stdout)
        self.assertIn(f"planned outage {number} of nmis", agent.cli("queue", "list", "--json").stdout)
        self.assertIn("checkrelay_held{destination=\"out\"} 2", agent.http("GET", "/metrics").body.decode())
        agent.cli("upstream", "nmis", "outages", "update", number, "--node", "db2")
        self.assertEqual(self.wait_delivered(2)[1]["output"], "n=1")
        self.assertEqual(self.held(agent), 1)
        sim.remove(number)
        self.assertEqual(self.wait_delivered(3)[2]["output"], "n=2")

    def test_a_reload_loses_nothing_that_is_held(self):
        sim = self.nmis()
        sim.add(nodes=["db1"], **self.window())
        agent = self.agent(outages=[self.source(effect="hold")])
        wait_until(lambda: agent.status()["outages"][0]["in_force"] == 1, "the outage")
        self.accept(agent, result(1))
        wait_until(lambda: self.held(agent) == 1, "one held")
        self.accept(agent, result(2))
        wait_until(lambda: agent.destination("out")["superseded"] == 1, "the newer one held")
        sim.stop()
        local = {"type": "local", "name": "swap", "nodes": ["db1"], "effect": "hold", **self.window()}
        for n, sources in enumerate(([self.source(effect="hold", refresh="200ms")],
                                     [self.source(effect="hold"), local], [local])):
            agent.write(self.config(outages=sources))
            agent.reload()
            wait_until(lambda: [o["name"] for o in agent.status()["outages"]] == [s["name"] for s in sources]
                       and agent.stderr().count("configuration reloaded") == n + 1, "the reload")
            self.accept(agent, result(3 + n))
            wait_until(lambda: agent.destination("out")["superseded"] == n + 2 and self.held(agent) == 1, "one held")
            self.assertEqual(self.outputs(), [])
        agent.write(self.config())
        agent.reload()
        self.assertEqual([r["output"] for r in self.wait_delivered(1)], ["n=5"])
        self.assertEqual(agent.destination("out")["superseded"], 4)


class NmisCommands(OutagesCase):
    def setUp(self):
        super().setUp()
        self.nmis()
        self.relay = self.agent(outages=[self.source()])

    def upstream(self, *words, code=0):
        done = self.relay.cli("upstream", "nmis", *words)
        self.assertEqual(done.returncode, code, done)
        return done

    def test_an_outage_is_made_read_changed_and_taken_away(self):
        made = json.loads(self.upstream("outages", "create", "--node", "sw1", "--element", "sw1:regex:^Vlan",
                                        "--start", "2026-03-01T22:00:00+01:00", "--end", "2026-03-02T02:00:00+01:00",
                                        "--description", "swap it", "--change-id", "CHG-1", "--json").stdout)
        kept = self.sim.outages[made["id"]]
        self.assertEqual((kept["start"], kept["frequency"], kept["nodes"]), (1772398800, "once", ["sw1"]))
        self.upstream("outages", "update", made["id"], "--description", "later")
        changed = self.sim.outages[made["id"]]
        self.assertEqual({**kept, "description": "later"}, changed)
        self.assertIn("later", self.upstream("outages", "get", made["id"]).stdout)
        self.assertIn(made["id"], self.upstream("outages", "list").stdout)
        self.assertEqual(len(json.loads(self.upstream("outages", "list", "--json").stdout)), 1)
        self.upstream("outages", "delete", made["id"])
        self.assertEqual(self.sim.outages, {})

    def test_what_is_not_there_is_refused(self):
        for words in (("outages", "get", "nobody"), ("outages", "delete", "nobody"),
                      ("outages", "update", "nobody", "--end", "1")):
            self.assertIn("does not exist", self.upstream(*words, code=1).stderr)

    def test_an_update_keeps_what_the_server_keeps_with_either_status(self):
        for status in (200, 201):
            self.sim.put_status = status
            number = self.sim.add(nodes=["a"], frequency="weekly", start="Fri 22:00", end="Mon 06:00",
                                  options={"nostats": 1}, change_id="C")
            self.upstream("outages", "update", number, "--end", "Mon 07:00")
            kept = self.sim.outages[number]
            self.assertEqual((kept["end"], kept["options"], kept["change_id"]), ("Mon 07:00", {"nostats": 1}, "C"))

    def test_test_says_what_is_there(self):
        self.sim.add(nodes=["a"], **self.window())
        self.sim.put_raw("odd", nodes={"group": ["x"]}, start="1", end="2")
        told = json.loads(self.upstream("test", "--json").stdout)
        self.assertEqual(list(told), ["system", "user", "may_submit", "clock_difference_s", "remarks"])
        self.assertEqual((told["system"], told["user"], told["may_submit"]), ("NMIS outages", "relay", "unknown"))
        self.assertLess(abs(told["clock_difference_s"]), 30)
        self.assertIn('left out: outage "odd"', told["remarks"][0])
        self.assertIn("can read: 1;", told["remarks"][1])
        self.assertIn("may_submit: unknown", self.upstream("test").stdout)

    def test_credentials_that_are_not_taken_are_a_refusal(self):
        for how in ("401", "403", "page"):
            self.sim.failed_login = how
            self.sim.users = {"relay": "other"}
            self.sim.expire_sessions()
            told = self.upstream("test", "--json", code=1)
            self.assertIs(json.loads(told.stdout)["may_submit"], False)
            self.upstream("outages", "list", code=1)

    def test_an_upstream_that_is_away_exits_3(self):
        self.sim.stop()
        self.upstream("outages", "list", code=3)

    def test_wrong_words_and_names_are_told(self):
        self.assertIn("outages list", self.upstream("outages", "lst", code=1).stderr)
        self.assertEqual(self.relay.cli("upstream", "nobody", "test").returncode, 1)
        self.assertEqual(self.relay.cli("upstream").returncode, 2)


class NeighbourOutages(OutagesCase):
    def ask(self, port, method, path, body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self.addCleanup(connection.close)
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return response, response.read()

    def hub(self):
        port = free_port()
        intake = {"type": "http", "listen": f"127.0.0.1:{port}", "dialects": ["opmantek"],
                  "user": [{"name": "edge", "password": "hunter22", "hosts": ["*"]}]}
        self.agent(intakes=[intake], outages=[{"type": "local", "name": "swap", "nodes": ["db1"],
                                               "elements": ["db1:regex:^Disk"], "description": "x",
                                               **self.window()}])
        return port

    def test_the_list_is_told_to_who_has_logged_in(self):
        port, path = self.hub(), "/en/omk/admin/api/v3/outages"
        self.assertEqual(self.ask(port, "GET", path)[0].status, 401)
        form = urllib.parse.urlencode({"username": "edge", "password": "hunter22"})
        response, _ = self.ask(port, "POST", "/en/omk/admin/login", form,
                               **{"Content-Type": "application/x-www-form-urlencoded"})
        cookie = response.headers["Set-Cookie"].split(";")[0]
        response, body = self.ask(port, "GET", path, Cookie=cookie)
        self.assertEqual(response.status, 200)
        outage = json.loads(body)[0]
        self.assertEqual((outage["id"], outage["nodes"], outage["current"]), ("swap", {"name": ["db1"]}, "current"))
        self.assertEqual(outage["element"], [{"node_name": "db1", "element_name": "regex:^Disk"}])
        self.assertEqual(self.ask(port, "DELETE", path + "/swap", Cookie=cookie)[0].status, 405)

    def test_an_agent_asks_its_neighbour(self):
        port = self.hub()
        edge = self.directory / "edge"
        edge.mkdir()
        agent = self.agent(directory=edge, agent={"state_dir": str(edge / "state"), "socket": str(edge / "a.sock")},
                           destinations=[self.file_destination("edge")],
                           outages=[{"type": "opmantek", "name": "hub", "url": f"http://127.0.0.1:{port}",
                                     "username": "edge", "password": "hunter22", "refresh": "100ms"}])
        count = 0

        def marked():
            nonlocal count
            count += 1
            self.accept(agent, result(count, service="Disk 1"))
            return "[planned outage: x]" in self.wait_delivered(count, "edge")[-1]["output"]

        wait_until(marked, "a mark")
