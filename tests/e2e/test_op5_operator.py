"""What an operator learns of an OP5 server: `upstream NAME test`, and `verify`."""

import json

from .harness import result, wait_until
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


class Op5Verify(Op5Case):
    def verified(self, condition):
        return self.relay.wait_destination("central", lambda d: condition(d["verify"]))

    def test_what_was_accepted_and_not_applied_is_told_and_blames_no_item(self):
        agent = self.central(verify=True)
        self.sim.passive_disabled.add(("db1", "Off"))
        self.accept(agent, result(1), result(2, service="Off"))
        self.all_well(2)
        status = self.verified(lambda v: v["applied"] == 1 and v["not_applied"] == 1)
        self.assertIn("db1;Off: passive checks", status["verify"]["last"])
        self.assertEqual((status["delivered"], status["dead"], status["retries"], status["state"]), (2, 0, 0, "ok"))
        wait_until(lambda: "accepted and not applied" in agent.stderr(), "the line in the log")
        self.assertEqual([r.path for r in self.sim.requests].count("/api/filter/query"), 1)
        self.assertEqual(self.sim.peak_inflight, 1)

    def test_an_answer_that_hangs_delays_no_result(self):
        agent = self.central(verify=True, timeout="60s")
        self.accept(agent, result(1))
        self.all_well(1)
        self.sim.hold()
        self.sim.wait(lambda: len(self.sim.requests) == 2, 60)
        self.assertEqual(self.sim.requests[1].path, "/api/filter/query")
        self.accept(agent, result(2))
        self.assertTrue(self.sim.wait(lambda: len(self.sim.requests) == 3, 30))
        self.sim.release()
        self.all_well(2)
        self.verified(lambda v: v["applied"] == 1)

    def test_a_user_who_may_not_read_costs_the_look_alone(self):
        agent = self.central(verify=True)
        self.accept(agent, result(1))
        self.all_well(1)
        self.sim.faults.fail_next(1, 403, '{"error":"Forbidden","full_error":"no right to view"}')
        status = self.verified(lambda v: v["unclear"] == 1)
        self.assertEqual((status["state"], status["verify"]["not_applied"]), ("ok", 0))
        wait_until(lambda: "no right to view" in agent.stderr(), "the line in the log")
