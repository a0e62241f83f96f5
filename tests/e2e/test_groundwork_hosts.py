"""What an operator asks a GroundWork server for."""

import json

from .groundwork_case import GroundWorkCase, many
from .harness import run


class GroundWorkHosts(GroundWorkCase):
    def setUp(self):
        super().setUp()
        self.agent_ = self.central({"device_required": True})
        self.accept(self.agent_, *many(3, service=""))
        self.all_well(3)
        self.sim.groups = {"Linux Servers": ["h0", "h2"]}

    def hosts(self, *words):
        return run("upstream", "central", "hosts", *words, "-C", self.agent_.socket)

    def answer(self, *words):
        done = self.hosts(*words, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def names(self, *words):
        return [host["hostName"] for host in self.answer(*words)]

    def refused(self, words, *command):
        done = self.hosts(*command)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn(words, done.stderr)

    def test_lists_take_the_query_as_it_is(self):
        self.assertEqual(self.names("list"), ["h0", "h1", "h2"])
        self.assertEqual(self.names("list", "--query", "hostName like 'h%' order by hostName"), ["h0", "h1", "h2"])
        self.assertEqual(self.names("list", "--query=hostName <> 'h1'", "--first", "1"), ["h2"])
        self.assertEqual(self.names("list", "--count=1", "--depth", "simple"), ["h0"])

    def test_no_match_is_an_empty_list(self):
        self.assertEqual(self.answer("list", "--query", "hostName = 'nobody'"), [])
        self.assertEqual(self.answer("complete", "x"), [])
        self.assertEqual(self.hosts("filter", "nobody").stdout, "none\n")

    def test_people_get_a_table_and_names_line_by_line(self):
        table = self.hosts("list").stdout.splitlines()
        self.assertEqual(len(table), 4, table)
        self.assertIn("hostName", table[0])
        self.assertNotIn("properties", table[0])
        self.assertEqual(self.hosts("complete", "H").stdout, "h0\nh1\nh2\n")
        self.assertIn("monitorStatus: UP\n", self.hosts("get", "h0").stdout)

    def test_a_host_that_does_not_exist_exits_1(self):
        self.assertEqual(self.answer("get", "h1")["hostName"], "h1")
        self.refused('no host "h9"', "get", "h9")
        self.refused('no host "h9"', "rename", "h9", "h8")
        self.refused("h9: not found", "delete", "h9")

    def test_hosts_are_renamed_and_deleted(self):
        self.assertEqual(self.answer("rename", "h1", "a, b/c")["hostName"], "a, b/c")
        self.refused("duplicate", "rename", "h2", "h0")
        self.answer("delete", "a, b/c", "h0")
        self.assertEqual(self.names("list"), ["h2"])
        self.answer("delete", "h2")
        self.assertEqual(self.answer("list"), [])

    def test_completion_and_filter_in_each_reading_of_the_documents(self):
        for objects, path in ((False, "filter"), (True, "filter/hostgroups")):
            self.sim.names_as_objects, self.sim.filter_path = objects, path
            self.assertEqual(self.answer("complete", ""), ["h0", "h1", "h2"])
            self.assertEqual(self.names("filter", "Linux Servers", "nobody"), ["h0", "h2"])

    def test_one_login_serves_results_and_commands_and_is_made_anew_where_it_ended(self):
        self.answer("list")
        self.assertEqual(self.sim.logins, 1)
        self.sim.expire_sessions()
        self.answer("list")
        self.assertEqual(self.sim.logins, 2)

    def test_who_may_only_read_is_told_so(self):
        self.sim.read_only.add("relay")
        self.assertEqual(self.names("list"), ["h0", "h1", "h2"])
        self.refused("may this account", "delete", "h0")

    def test_a_server_that_is_away_exits_3(self):
        self.sim.fail_html_200()
        self.assertEqual(self.hosts("list").returncode, 3)
        self.sim.stop()
        away = self.hosts("list")
        self.assertEqual(away.returncode, 3, away.stderr)

    def test_a_wrong_word_is_told_with_what_there_is(self):
        self.refused("hosts complete PREFIX", "lst")


class GroundWorkTest(GroundWorkCase):
    def asked(self, status):
        done = run("upstream", "central", "test", "-C", self.relay.socket, "--json")
        self.assertEqual(done.returncode, status, done.stderr)
        return json.loads(done.stdout) if done.stdout else done.stderr

    def test_says_what_it_is_and_that_results_are_welcome_and_brings_none(self):
        self.central()
        told = self.asked(0)
        self.assertEqual({k: told[k] for k in ("system", "user", "may_submit")},
                         {"system": "GroundWork", "user": "relay", "may_submit": True})
        self.assertEqual((self.sim.journal, self.sim.logins, self.sim.logouts), ([], 1, 1))

    def test_says_what_would_go_wrong(self):
        self.central()
        self.sim.read_only.add("relay")
        self.assertIn("may this account write", self.asked(1)["remarks"][0])
        self.sim.login_encoding = "plain"
        self.assertIn("login_encoding", self.asked(1)["remarks"][0])
        self.sim.stop()
        self.asked(3)
