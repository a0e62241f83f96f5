"""Where an upstream's documents disagree or leave open, each reading is lived with."""

from . import upstreams
from .harness import result


class ReadingsOfOp5(upstreams.ToOp5):
    def test_a_server_that_insists_on_texts_for_codes_is_satisfied(self):
        self.central()
        self.sim.codes = "string"
        self.warm()

    def test_output_that_is_too_long_for_it_is_cut_or_a_dead_letter_and_stops_no_one(self):
        for status, dead in ((200, 0), (400, 1), (413, 1), (422, 1)):
            with self.subTest(status):
                self.central(unknown_object_retry="0s")
                self.sim.size_limit, self.sim.size_status = 100, status
                self.accept(self.relay, {**result(1), "output": "x" * 500}, result(2, service="Other"))
                self.all_well(2 - dead, dead=dead)
                self.assertEqual(self.arrived("Other"), ["n=2"])
                self.assertEqual(self.relay.stop(), 0)
                self.setUp()

    def test_what_passive_checks_off_lose_is_a_dead_letter_where_the_server_says_so(self):
        self.central(unknown_object_retry="0s")
        self.sim.silent_status = 400
        self.sim.passive_disabled.add(("db1", "Backup"))
        ident = self.accept(self.relay, result(1), result(2, service="Other"))[0]
        self.all_well(1, dead=1)
        self.assertIn("passive checks are disabled", self.relay.cli("queue", "show", ident).stdout)

    def test_unknown_objects_by_400_and_by_404_are_dead_letters_with_its_words(self):
        for status in (400, 404):
            with self.subTest(status):
                self.central(unknown_object_retry="0s")
                self.unknown("s1")
                self.sim.unknown_status = status
                ident = self.accept(self.relay, result(1, service="s1"), result(2))[0]
                self.all_well(1, dead=1)
                self.assertIn("unknown service", self.relay.cli("queue", "show", ident).stdout)
                self.assertEqual(self.relay.stop(), 0)
                self.setUp()


class ReadingsOfGroundWork(upstreams.ToGroundWork):
    def test_every_way_to_say_a_login_is_refused_is_auth(self):
        for status in (401, 403, 404):
            with self.subTest(status):
                self.central(password="wr0ng-w0rd")
                self.sim.login_refusal = status
                self.accept(self.relay, result(1))
                seen = self.relay.wait_destination("central", lambda d: d["state"] == "auth")
                self.assertIn("password is invalid", seen["last_error"])
                self.assertEqual(self.relay.stop(), 0)
                self.setUp()

    def test_hosts_are_taken_with_or_without_demands_on_type_and_device(self):
        for strict in (True, False):
            with self.subTest(strict):
                self.central()
                self.sim.app_type_required = self.sim.device_required = strict
                self.accept(self.relay, {"host": "db1", "state": 1, "output": "x"}, result(1))
                self.all_well(2)
                self.assertEqual(self.relay.stop(), 0)
                self.setUp()

    def test_every_state_has_a_name_that_the_server_knows_and_may_rewrite(self):
        self.central()
        self.sim.unknown_status = "500"
        self.accept(self.relay, *({"host": f"h{n}", "state": n, "output": f"was DOWN {n}"} for n in range(3)),
                    *(result(n, service=f"s{n}", state=n, output=f"is CRITICAL {n}") for n in range(4)))
        self.all_well(7)
        self.assertEqual([self.sim.state(f"h{n}").stored for n in range(3)], ["UP", "UNSCHEDULED DOWN", "UNREACHABLE"])
        self.assertEqual([self.sim.state("db1", f"s{n}").stored for n in range(4)],
                         ["OK", "WARNING", "UNSCHEDULED CRITICAL", "UNKNOWN"])

    def test_an_asynchronous_server_that_is_full_is_not_asked_for_that(self):
        self.central()
        self.sim.async_full = True
        self.warm()
        self.assertEqual({r.query["async"] for r in self.submissions()}, {"false"})

    def test_the_older_paths_of_the_api_work_the_same(self):
        sim = self.start_simulator()
        self.central(sim, url=sim.url + "/foundation-webapp")
        self.accept(self.relay, result(1))
        self.all_well(1)


class ReadingsOfOpsview(upstreams.ToOpsview):
    def test_tokens_of_any_length_are_carried_as_they_are(self):
        for digits in (32, 40, 64):
            with self.subTest(digits):
                self.central()
                self.sim.token_digits, self.sim.bind_address = digits, True
                self.warm()
                self.assertEqual(self.relay.stop(), 0)
                self.setUp()

    def test_a_way_to_submit_that_is_missing_is_a_matter_of_configuration(self):
        for form, other in (("detail", "status"), ("status", "detail")):
            with self.subTest(form):
                self.central(submit=form)
                self.sim.forms = other
                self.accept(self.relay, result(1))
                self.relay.wait_destination("central", lambda d: d["state"] == "config" and "Not found" in
                                            d["last_error"])
                self.sim.forms = "both"
                self.all_well(1)
                self.assertEqual(self.relay.stop(), 0)
                self.setUp()

    def test_the_right_to_submit_is_whatever_the_server_says(self):
        self.central()
        self.sim.submit_right, self.sim.rights["relay"] = "ACTIONALL", {"ACTIONSOME"}
        self.accept(self.relay, result(1))
        seen = self.relay.wait_destination("central", lambda d: d["state"] == "auth")
        self.assertIn("Access denied", seen["last_error"])
        self.sim.submit_right = "ACTIONSOME"
        self.all_well(1)

    def test_a_server_that_wants_state_in_the_place_of_new_state_says_so_in_the_dead_letter(self):
        self.central(submit="status")
        self.sim.state_key = "state"
        ident = self.accept(self.relay, result(1))[0]
        self.relay.wait_destination("central", lambda d: d["dead"] == 1)
        self.assertIn("Error validating", self.relay.cli("queue", "show", ident).stdout)
