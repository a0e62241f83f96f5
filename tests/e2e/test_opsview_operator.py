"""What operators ask an Opsview server for, through the agent: `checkrelay upstream NAME …`."""

import json
import threading

from .harness import PATIENCE, result
from .opsview_case import OpsviewCase


class OpsviewOperator(OpsviewCase):
    def upstream(self, *words, code=0):
        told = self.relay.cli("upstream", "central", *words)
        self.assertEqual(told.returncode, code, told.stdout + told.stderr)
        return told

    def test_info_is_the_servers_for_people_and_for_scripts(self):
        self.central()
        self.assertIn("opsview_version: 6.8.9\n", self.upstream("info").stdout)
        self.assertEqual(json.loads(self.upstream("info", "--json").stdout)["opsview_edition"], "commercial")
        self.assertEqual(self.sim.logins, 1)

    def test_reload_status_is_told_and_asks_for_no_reload(self):
        self.central()
        self.sim.configure("db1", "New")
        self.assertIn("configuration_status: pending\n", self.upstream("reload", "status").stdout)
        self.assertEqual(self.sim.reloads, [])

    def test_reload_is_begun_with_its_changelog_and_not_awaited(self):
        self.central()
        self.sim.changelog_required = True
        self.assertIn("changelog", self.upstream("reload", "start", code=1).stderr)
        told = self.upstream("reload", "start", "--changelog", "new hosts; 50% & more")
        self.assertEqual((told.stderr, self.sim.reloads), ("", ["new hosts; 50% & more"]))
        self.assertEqual(self.sim.server_status, 1)

    def test_waiting_shows_progress_and_ends_with_the_reload(self):
        self.central()
        self.sim.configure("db1", "New")
        seen = []

        def look():
            status = [r for r in list(self.sim.requests) if (r.method, r.path) == ("GET", "/rest/reload")]
            return len(status) >= 2

        def end():
            seen.append(self.sim.wait(look, PATIENCE))
            self.sim.end_reload()

        ending = threading.Thread(target=end)
        ending.start()
        told = self.upstream("reload", "start", "--wait", "--json")
        ending.join()
        self.assertEqual(seen, [True])
        self.assertIn("reloading for ", told.stderr)
        self.assertIn("it usually takes about 30 s", told.stderr)
        self.assertIn("reloaded after ", told.stderr)
        self.assertEqual(json.loads(told.stdout)["configuration_status"], "uptodate")

    def test_reload_that_fails_while_it_is_awaited_exits_1_with_the_servers_words(self):
        self.central()
        self.sim.reload_messages = [{"detail": "no such plugin", "monitoringserver": "Master", "severity": "critical"}]
        ending = threading.Thread(target=lambda: (self.sim.wait(lambda: self.sim.server_status == 1, PATIENCE),
                                                  self.sim.end_reload(status=3)))
        ending.start()
        told = self.upstream("reload", "start", "--wait", code=1)
        ending.join()
        self.assertIn("no such plugin", told.stderr)

    def test_reload_that_runs_already_is_told_as_that(self):
        self.central()
        self.sim.begin_reload()
        for shape in ("string", "strings"):
            self.sim.messages = shape
            for words in ((), ("--wait",)):
                told = self.upstream("reload", "start", *words, code=1)
                self.assertIn("a reload is running already: HTTP 409: Reload already running", told.stderr)
        self.assertEqual(self.sim.reloads, [])

    def test_user_without_the_right_is_refused(self):
        self.central()
        self.sim.rights["relay"] = {"RELOADVIEW"}
        self.assertIn("Access denied", self.upstream("reload", "start", code=1).stderr)
        self.sim.rights["relay"] = set()
        self.assertIn("Access denied", self.upstream("reload", "status", code=1).stderr)

    def test_test_says_what_it_found_and_sends_no_result(self):
        self.central()
        found = json.loads(self.upstream("test", "--json").stdout)
        self.assertLessEqual(abs(found.pop("clock_difference_s")), 5)
        self.assertEqual(found, {"system": "Opsview", "version": "6.8.9", "user": "relay", "may_submit": True,
                                 "remarks": []})
        self.assertEqual((self.submissions(), self.sim.sessions), ([], {}))

    def test_test_tells_of_a_clock_that_is_wrong_and_of_a_change_that_waits(self):
        self.central()
        self.sim.clock_s = -600
        self.sim.configure("db1", "New")
        told = self.upstream("test").stdout
        self.assertRegex(told, r"clock_difference_s: -(59\d|60\d)\n")
        self.assertIn("behind ours", told)
        self.assertIn("wait for a reload", told)

    def test_test_of_a_user_who_may_not_submit_exits_1(self):
        self.central()
        self.sim.rights["relay"] = {"RELOADVIEW"}
        told = self.upstream("test", code=1)
        self.assertIn("may_submit: false\n", told.stdout)
        self.assertIn("ACTIONSOME", told.stderr)

    def test_test_with_a_wrong_password_exits_1(self):
        self.central(password="wrong")
        self.assertIn("Authentication failed", self.upstream("test", code=1).stderr)

    def test_server_that_is_away_exits_3(self):
        self.central()
        self.sim.stop()
        self.upstream("info", code=3)

    def test_results_wait_for_the_reload_that_was_asked_for(self):
        agent = self.central()
        self.sim.average_duration = 1
        self.accept(agent, result(0))
        self.all_well(1)
        self.upstream("reload", "start")
        self.accept(agent, result(1))
        agent.wait_destination("central", lambda d: d["state"] == "held")
        self.assertEqual(len(self.submissions()), 1)
        self.sim.end_reload()
        self.all_well(2)

    def test_words_that_are_none_are_told_which_there_are(self):
        self.central()
        self.assertIn("reload start [--wait] [--changelog TEXT]", self.upstream("reload", "stop", code=1).stderr)
