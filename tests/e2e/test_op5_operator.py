"""What an operator asks of an OP5 server: `upstream NAME test`."""

import json

from .op5_case import Op5Case


class Op5Test(Op5Case):
    def ask(self, code=0, **options):
        self.central(**options)
        return self.report(code)

    def report(self, code=0):
        done = self.relay.cli("upstream", "central", "test", "--json")
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return json.loads(done.stdout) if done.stdout else done.stderr

    def remarked(self, report, words):
        self.assertTrue(any(words in r for r in report["remarks"]), report)

    def test_says_what_is_there_and_sends_no_result(self):
        report = self.ask()
        self.assertEqual((report["system"], report["version"], report["user"], report["may_submit"]),
                         ("OP5 Monitor", "1.4.2-naemon", "status_update", True))
        self.assertLessEqual(abs(report["clock_difference_s"]), 2)
        self.assertEqual((self.sim.journal, self.sim.ignored), ([], []))
        self.assertIn("version: 1.4.2-naemon", self.relay.cli("upstream", "central", "test").stdout)

    def test_wrong_password_is_refused_and_the_module_is_named(self):
        report = self.ask(1, username="status_update$LDAP", password="wrong")
        self.assertFalse(report["may_submit"])
        self.remarked(report, '"LDAP"')
        self.assertIn("HTTP 401", self.relay.cli("upstream", "central", "test").stderr)

    def test_user_without_the_right_to_command_is_refused(self):
        self.central()
        self.sim.powerless.add("status_update")
        self.remarked(self.report(1), "API command")

    def test_passive_checks_that_are_off_are_told(self):
        self.central()
        self.sim.takes["service"] = False
        self.remarked(self.report(), "passive service checks are off")

    def test_clock_that_is_off_is_told(self):
        self.central()
        self.sim.clock_s = -7200
        report = self.report()
        self.assertLessEqual(abs(report["clock_difference_s"] + 7200), 2)
        self.remarked(report, "behind ours")

    def test_server_that_is_away_exits_3(self):
        self.central()
        self.sim.stop()
        self.assertTrue(self.report(3))
