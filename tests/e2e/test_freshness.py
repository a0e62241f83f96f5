"""The result that did not come: promises, over kills and outages, and what operators see."""

import json
import time

from simulators.op5 import Op5
from simulators.opsview import Opsview

from .harness import Case, result, run, wait_until

HOUR = 3600
SOURCE = "checkrelay freshness at edge1"


class FreshnessCase(Case):
    def promise(self, **more):
        """A shrunken schedule: overdue about two seconds after the last report."""
        return {"host": "db*", "service": "Backup", "every": "1s", "grace": "1s", "settle": "1s", **more}

    def said(self):
        """What freshness has told, as (host, service, state, output). A kill may deliver one of them again."""
        told = {r["id"]: r for r in self.delivered() if r["check_source"] == SOURCE}
        return [(r["host"], r["service"], r["state"], r["output"]) for r in told.values()]

    def of(self, host):
        """What was delivered of a host's backup, as (state, output)."""
        return [(r["state"], r["output"]) for r in self.delivered() if (r["host"], r["service"]) == (host, "Backup")]

    def wait_said(self, count):
        wait_until(lambda: len(self.said()) >= count, f"{count} results of freshness")
        return self.said()

    def listed(self, agent, *options):
        done = agent.cli("freshness", "list", "--json", *options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def states(self, agent):
        return {(row["host"], row["service"]): row["state"] for row in self.listed(agent)}


class Overdue(FreshnessCase):
    def test_a_silent_subject_is_told_once_and_its_own_result_is_the_recovery(self):
        agent = self.agent(freshness=[self.promise()])
        self.accept(agent, result(1), result(2, host="web1"))
        self.assertEqual(agent.status()["freshness"]["expected"], 1)
        host, service, state, output = self.wait_said(1)[0]
        self.assertEqual((host, service, state), ("db1", "Backup", 2))
        self.assertRegex(output, r"^no result since \w{3} \d\d:\d\d")
        self.assertEqual(agent.status()["freshness"]["overdue"], 1)
        self.accept(agent, result(3))
        wait_until(lambda: len(self.of("db1")) >= 3, "the recovery")
        self.assertEqual(self.of("db1")[:3], [(0, "n=1"), (2, output), (0, "n=3")])

    def test_what_a_kill_leaves_is_neither_forgotten_nor_told_twice(self):
        agent = self.agent(freshness=[self.promise()])
        self.accept(agent, result(1))
        self.wait_said(1)
        for _ in range(3):
            agent.kill()
            agent.start()
            self.assertEqual(self.states(agent), {("db1", "Backup"): "overdue"})
        self.accept(agent, result(2, host="db2"))  # by then the first one would have been told again
        wait_until(lambda: any(row[0] == "db2" for row in self.said()), "the second subject")
        self.assertEqual([row[0] for row in self.said()], ["db1", "db2"])

    def test_a_due_time_that_passed_while_the_agent_was_down_says_so(self):
        agent = self.agent(freshness=[self.promise(every="8s")])
        self.accept(agent, result(1))
        due = self.listed(agent)[0]["due"]
        self.assertEqual(agent.stop(), 0)
        wait_until(lambda: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 2)) > due, "the due time")
        agent.start()
        self.assertTrue(self.wait_said(1)[0][3].endswith("(the agent was not running when it was due)"))

    def test_what_the_spool_holds_comes_before_anything_is_overdue(self):
        spool = self.path("spool")
        agent = self.agent([{"type": "spool", "path": spool}], freshness=[self.promise(every="24h")])
        self.accept(agent, result(1, time=int(time.time()) - 25 * HOUR))
        self.assertEqual(agent.stop(), 0)
        sent = agent.cli("send", "-H", "db1", "-S", "Backup", "-s", "OK", "-m", "in the spool",
                         env={"CHECKRELAY_SPOOL": spool})
        self.assertEqual(sent.returncode, 0, sent.stderr)
        agent.start()
        wait_until(lambda: "in the spool" in self.outputs(), "the result of the spool")
        self.accept(agent, result(2, host="db2", time=int(time.time()) - 25 * HOUR))
        wait_until(self.said, "db2")
        self.assertEqual({row[0] for row in self.said()}, {"db2"})

    def test_a_result_may_promise_by_itself(self):
        agent = self.agent()
        sent = agent.cli("send", "-H", "web1", "-S", "Sync", "-s", "OK", "-m", "done", "--ttl", "1s")
        self.assertEqual(sent.returncode, 0, sent.stderr)
        self.assertEqual(self.wait_said(1)[0][:3], ("web1", "Sync", 2))
        self.accept(agent, result(1, host="web1", service="Sync"))
        wait_until(lambda: self.listed(agent) == [], "the end of the promise")

    def test_expected_services_must_exist(self):
        agent = self.agent(freshness=[self.promise(host="db1", expect=["Backup"], state="WARNING")])
        host, service, state, output = self.wait_said(1)[0]
        self.assertEqual((host, service, state), ("db1", "Backup", 1))
        self.assertTrue(output.startswith("no result yet, due "), output)
        self.assertEqual(self.listed(agent)[0]["last_seen"], None)

    def test_in_a_planned_outage_it_stays_quiet_until_that_ends(self):
        now = int(time.time())
        window = {"type": "local", "name": "work", "nodes": ["db1"], "effect": "pass", "start": str(now - HOUR),
                  "end": str(now + HOUR)}
        agent = self.agent(freshness=[self.promise()], outages=[window])
        self.accept(agent, result(1), result(2, host="db2"))
        wait_until(lambda: self.states(agent) == {("db1", "Backup"): "in_outage", ("db2", "Backup"): "overdue"},
                   "one in the outage, one overdue")
        self.assertEqual(agent.status()["freshness"]["in_outage"], 1)
        self.assertEqual([row[0] for row in self.wait_said(1)], ["db2"])
        agent.write(self.config(freshness=[self.promise()]))
        agent.reload()
        self.assertEqual([row[0] for row in self.wait_said(2)], ["db2", "db1"])

    def test_a_silent_site_is_one_result_about_the_site(self):
        agent = self.agent(freshness=[self.promise(group="site-7")])
        self.accept(agent, *(result(n, host=f"db{n}") for n in range(20)))
        self.assertEqual(self.wait_said(1)[0][:3], ("edge1", "site-7", 2))
        self.accept(agent, result(30, host="db3"))
        wait_until(lambda: any(row[1:3] == ("site-7", 0) for row in self.said()), "the recovery")
        self.assertEqual(agent.status()["freshness"]["expected"], 20)

    def test_it_reaches_a_monitoring_server_after_an_outage_of_the_uplink(self):
        sim = Op5().start()
        self.addCleanup(sim.stop)
        sim.faults.fail_next(3, 503)
        agent = self.agent(destinations=[self.op5_destination(sim, backlog="all"), self.file_destination()],
                           freshness=[self.promise()])
        self.accept(agent, result(1))
        wait_until(lambda: len(sim.outputs("db1", "Backup")) >= 2, "two results at the server")
        self.assertTrue(sim.outputs("db1", "Backup")[1].startswith("no result since"))


class Shrunken(FreshnessCase):
    """A schedule of every two seconds, to the servers and over kills: one result a silence, and its recovery."""

    def setUp(self):
        super().setUp()
        self.sims = [Op5().start(), Opsview().start()]
        for sim in self.sims:
            self.addCleanup(sim.stop)
        opsview = {"name": "opsview", "type": "opsview", "url": self.sims[1].url, "username": "relay",
                   "password": "secret", "backlog": "all", "retry_min": "20ms", "retry_max": "200ms", "spread": "0s"}
        promise = {"host": "db1", "service": "Backup", "schedule": "*-*-* *:*:0/2", "grace": "3s", "settle": "1s"}
        self.relay = self.agent(destinations=[self.op5_destination(self.sims[0], backlog="all"), opsview],
                                freshness=[promise])

    def seen(self, sim):
        """What arrived, in order. What was delivered just before a kill may come once more: that counts once."""
        every = sim.outputs("db1", "Backup")
        return [o for n, o in enumerate(every) if n == 0 or o != every[n - 1]]

    def made(self):
        """How many results of its own the agent has made."""
        rows = json.loads(self.relay.cli("queue", "list", "--json", "--limit", "1000").stdout)["rows"]
        return len({row["id"] for row in rows if row["check_source"] == SOURCE})

    def arrived(self, count):
        """Until so many results have arrived everywhere, and the agent knows it."""
        for sim in self.sims:
            wait_until(lambda sim=sim: len(self.seen(sim)) >= count, f"{count} results at each server")
        self.relay.wait_idle()

    def killed(self):
        self.relay.kill()
        self.relay.start()

    def test_one_result_a_silence_reaches_each_server_over_kills(self):
        self.accept(self.relay, result(1))
        self.arrived(1)
        self.killed()  # before it is due
        self.arrived(2)
        self.killed()  # after it was told
        self.accept(self.relay, result(2))
        self.arrived(3)

        self.relay.kill()
        late = time.time() + 6
        wait_until(lambda: time.time() > late, "the end of the grace")
        self.relay.start()  # it was due meanwhile
        self.arrived(4)
        self.accept(self.relay, result(3))
        self.arrived(5)

        for sim in self.sims:
            sim.faults.fail_next(-1, 503)
        wait_until(lambda: self.states(self.relay) == {("db1", "Backup"): "overdue"}, "overdue while they are away")
        self.killed()
        self.accept(self.relay, result(4))
        for sim in self.sims:
            sim.faults.clear()
        self.arrived(7)
        self.assertLessEqual(self.made(), 4)  # a fourth, where the last report is overdue by now
        for sim in self.sims:
            got = ["-" if o.startswith("no result since") else o[:3] for o in self.seen(sim)[:7]]
            self.assertEqual(got, ["n=1", "-", "n=2", "-", "n=3", "-", "n=4"])


class Runs(FreshnessCase):
    def announce(self, agent, run, **more):
        return self.accept(agent, {"host": "db1", "service": "Backup", "start": True, "id": run, **more})

    def test_a_run_that_does_not_end_is_overdue_and_one_that_ends_is_not(self):
        agent = self.agent(freshness=[self.promise(every="1h", run_limit="2s")])
        self.announce(agent, "run-a")
        self.announce(agent, "run-b")
        self.accept(agent, result(1, id="run-b"))
        output = self.wait_said(1)[0][3]
        self.assertRegex(output, r"^a run that began .* has not ended within 2s$")
        agent.restart()
        self.accept(agent, result(2, id="run-a"))
        wait_until(lambda: self.states(agent) == {("db1", "Backup"): "ok"}, "all ended")
        self.assertEqual(len(self.said()), 1)
        self.assertEqual(len(self.delivered()), 3)  # a start is no result


class Operator(FreshnessCase):
    def test_list_show_and_forget(self):
        agent = self.agent(freshness=[self.promise(every="24h"),
                                      {"host": "web*", "service": "Report", "schedule": "0 3 * * 1-5",
                                       "timezone": "Europe/Stockholm", "grace": "2h"}])
        self.accept(agent, result(1), result(2, host="web1", service="Report"))
        rows = {row["host"]: row for row in self.listed(agent)}
        for row in rows.values():
            self.assertLessEqual({"host", "service", "state", "last_seen", "due", "zone", "every", "schedule"},
                                 set(row))
        self.assertEqual((rows["db1"]["every"], rows["db1"]["schedule"]), ("1d", None))
        self.assertEqual((rows["web1"]["every"], rows["web1"]["schedule"], rows["web1"]["zone"]),
                         (None, "0 3 * * 1-5", "Europe/Stockholm"))
        self.assertRegex(rows["web1"]["next"], r"^(Mon|Tue|Wed|Thu|Fri) 03:00 Europe/Stockholm, in \d+ (h|d|min)$")
        table = agent.cli("freshness", "list")
        self.assertIn("0 3 * * 1-5", table.stdout)
        self.assertEqual(agent.cli("freshness", "list", "--overdue").stdout, "nothing is overdue\n")
        shown = agent.cli("freshness", "show", "-H", "web1", "-S", "Report")
        self.assertIn("Europe/Stockholm", shown.stdout)
        self.assertEqual(agent.cli("freshness", "show", "-H", "nobody").returncode, 1)
        self.assertEqual(agent.cli("freshness", "forget", "-H", "db1", "-S", "Backup").returncode, 0)
        self.assertEqual([row["host"] for row in self.listed(agent)], ["web1"])
        agent.kill()
        agent.start()
        self.assertEqual([row["host"] for row in self.listed(agent)], ["web1"])
        self.assertIn("freshness: 1 expected", agent.cli("status").stdout)

    def test_suggestions_can_be_pasted_into_the_configuration(self):
        agent = self.agent()
        now = int(time.time())
        for hours in range(9, 0, -1):
            self.accept(agent, result(1, host='d*b"1', time=now - hours * HOUR))
        agent.wait_idle()
        suggested = agent.cli("freshness", "suggest")
        self.assertEqual(suggested.returncode, 0, suggested.stderr)
        self.assertIn('every = "1h"', suggested.stdout)
        agent.file.write_text(agent.file.read_text() + "\n" + suggested.stdout)
        checked = run("check", "--config", agent.file)
        self.assertEqual((checked.returncode, checked.stderr), (0, ""))
        agent.reload()
        wait_until(lambda: "configuration reloaded" in agent.stderr(), "the reload")
        self.accept(agent, result(2, host='d*b"1'))
        wait_until(lambda: self.states(agent) == {('d*b"1', "Backup"): "ok"}, "the promise")

    def test_suggestions_leave_out_who_has_promised(self):
        agent = self.agent(freshness=[self.promise(host="db*", every="24h")])
        now = int(time.time())
        for hours in range(9, 0, -1):
            self.accept(agent, *(result(1, host=host, time=now - hours * HOUR) for host in ("db1", "web1", "web2")))
        agent.wait_idle()
        suggested = agent.cli("freshness", "suggest")
        self.assertEqual(suggested.returncode, 0, suggested.stderr)
        self.assertEqual(suggested.stdout.count("[[freshness]]"), 2, suggested.stdout)
        self.assertNotIn("db1", suggested.stdout)
        configuration = agent.file.read_text()
        agent.file.write_text(configuration + "\n" + suggested.stdout)
        checked = run("check", "--config", agent.file)
        self.assertEqual((checked.returncode, checked.stderr), (0, ""))
        self.assertEqual(agent.stop(), 0)
        agent.file.write_text(configuration)
        left = agent.cli("freshness", "suggest", "--config", agent.file)
        self.assertEqual(left.returncode, 0, left.stderr)
        self.assertIn('host = "*"', left.stdout)

    def test_what_is_forgotten_and_expected_is_back_at_once_and_that_is_said(self):
        agent = self.agent(freshness=[self.promise(host="db1", every="24h", expect=["Backup"]),
                                      self.promise(host="web*", every="24h")])
        self.accept(agent, result(1), result(2, host="web1"))
        forgotten = agent.cli("freshness", "forget", "-H", "db1", "-S", "Backup")
        self.assertIn("awaited anew", forgotten.stdout)
        self.assertEqual(self.states(agent)[("db1", "Backup")], "unseen")
        forgotten = agent.cli("freshness", "forget", "-H", "web1", "-S", "Backup")
        self.assertIn("until it reports again", forgotten.stdout)

    def test_the_table_shows_who_is_overdue_although_a_thousand_others_were_first(self):
        agent = self.agent(freshness=[self.promise(every="24h"), self.promise(host="web1")])
        self.accept(agent, *(result(n, host=f"db{n}") for n in range(1_001)))
        self.accept(agent, result(1, host="web1"))
        wait_until(lambda: agent.status()["freshness"]["overdue"] == 1, "web1 to be overdue")
        listed = agent.cli("freshness", "list").stdout.splitlines()
        self.assertRegex(listed[1], r"^web1 +Backup +overdue")
        self.assertEqual(len(listed), 1_002)
        self.assertIn("There are more", listed[-1])

    def test_an_agent_that_is_away_is_told(self):
        agent = self.agent(start=False)
        for words in (["list"], ["list", "--json"], ["show", "-H", "db1"], ["forget", "-H", "db1"]):
            self.assertEqual(agent.cli("freshness", *words).returncode, 3, words)
        self.assertEqual(run("freshness").returncode, 2)
        self.assertEqual(agent.cli("freshness", "show").returncode, 2)

    def test_a_schedule_that_is_over_stops_no_agent(self):
        over = {"host": "web1", "schedule": "2020-01-01 03:00", "grace": "1h", "expect": ["Report"]}
        agent = self.agent(freshness=[over, self.promise()])
        warning = 'freshness.schedule: "2020-01-01 03:00" is over'
        wait_until(lambda: warning in agent.stderr().replace('\\"', '"'), "the warning")
        checked = run("check", "--config", agent.file)
        self.assertEqual(checked.returncode, 1)
        self.assertIn(warning, checked.stderr)
        agent.reload()
        wait_until(lambda: agent.stderr().replace('\\"', '"').count(warning) == 2, "the warning of the reload")
        wait_until(lambda: "configuration reloaded" in agent.stderr(), "the reload")
        self.accept(agent, result(1), result(2, host="web1", service="Report"))
        self.assertEqual([row[0] for row in self.wait_said(1)], ["db1"])
        self.assertEqual(self.states(agent), {("db1", "Backup"): "overdue"})

    def test_a_mistyped_promise_is_named_with_its_line(self):
        agent = self.agent(start=False, freshness=[self.promise(host="db1"), self.promise(schedule="31 2 *")])
        checked = run("check", "--config", agent.file)
        self.assertEqual(checked.returncode, 1)
        self.assertRegex(checked.stderr, r":\d+: freshness\.schedule: ")
