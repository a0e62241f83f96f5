"""`checkrelay doctor`: finds what was broken on purpose, says what to do, and changes nothing."""

import hashlib
import json
import os
import pathlib
import sqlite3
import struct
import time

from simulators.op5 import Op5

from .harness import Case, result, run
from .test_carry import crc32c


class Doctor(Case):
    def setUp(self):
        super().setUp()
        self.sim = Op5().start()
        self.addCleanup(self.sim.stop)
        self.whole = self.agent([{"type": "spool", "path": self.path("spool")}],
                                [self.op5_destination(self.sim), self.file_destination()])
        os.chmod(self.whole.file, 0o600)
        self.accept(self.whole, *(result(n, service=f"S{n % 3}", output=f"needle-{n}") for n in range(30)))
        self.whole.wait_idle()

    def examine(self, code, *words):
        done = run("doctor", "--json", "--config", self.whole.file, *words)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        findings = json.loads(done.stdout)
        self.assertEqual(findings["well"], code == 0)
        return findings["findings"]

    def faults(self):
        found = [f for f in self.examine(1) if f["kind"] == "fault"]
        self.assertTrue(all(f["advice"] for f in found), found)
        return found

    def only_fault(self, about, *words):
        found = self.faults()
        self.assertEqual([f["about"] for f in found], [about], found)
        for word in words:
            self.assertIn(word, found[0]["what"])
        return found[0]

    def alter(self, *statements):
        with sqlite3.connect(self.path("state/journal.db")) as journal:
            for statement in statements:
                journal.execute(statement)
        journal.close()

    def waiting(self):
        """Stops the agent with results that wait: five subjects' newest, and some set aside."""
        self.sim.stop()
        self.accept(self.whole, *(result(n, service=f"W{n % 5}") for n in range(20)))
        self.whole.wait_destination("central", lambda d: d["state"] == "backoff" and d["in_flight"] == 0)
        self.whole.stop()

    def state(self):
        files = {}
        for name in sorted(os.listdir(self.path("state"))):
            path = pathlib.Path(self.path("state")) / name
            files[name] = (path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest())
        return files

    def test_all_well_beside_a_running_agent(self):
        found = self.examine(0)
        about = {f["about"]: f["what"] for f in found if f["kind"] == "ok"}
        self.assertIn("takes the credentials", about["destination central"])
        self.assertTrue(any("30 records" in f["what"] for f in found), found)
        text = run("doctor", "--config", self.whole.file)
        self.assertEqual(text.returncode, 0)
        self.assertTrue(text.stdout.endswith("all well\n"), text.stdout)

    def test_all_well_after_a_kill_and_nothing_changes(self):
        self.whole.kill()
        before = self.state()
        found = self.examine(0)
        self.assertEqual(self.state(), before)
        self.assertTrue(any("accounts of 2 destinations are right" in f["what"] for f in found), found)
        self.assertTrue(any("not running" in f["what"] for f in found), found)

    def test_accounts_are_right_with_a_backlog(self):
        self.waiting()
        self.assertEqual({f["about"] for f in self.faults()}, {"destination central"})

    def test_a_server_that_is_away(self):
        self.whole.stop()
        self.sim.stop()
        self.only_fault("destination central", "connect")

    def test_a_wrong_password(self):
        self.whole.stop()
        self.sim.users = {"status_update": "another"}
        fault = self.only_fault("destination central", "401")
        self.assertIn("password", fault["advice"])

    def test_damaged_records_are_counted(self):
        self.whole.stop()
        path = pathlib.Path(self.path("state/journal.db"))
        data = path.read_bytes()
        at = data.index(b"needle-7")
        path.write_bytes(data[:at] + b"n" * 3 + data[at + 3:])
        self.only_fault("journal", "1 of", "damaged")

    def test_accounts_that_do_not_fit(self):
        self.whole.stop()
        self.alter("UPDATE lane SET pending = pending + 3 WHERE name = 'out'")
        with sqlite3.connect(self.path("state/journal.db")) as journal:
            *numbers, name, passed = journal.execute(
                "SELECT id, cursor, folded, latest_upto, pending, delivered, superseded, expired, dead, retries, paused,"
                " name, passed FROM lane WHERE name = 'out'").fetchone()
            right = crc32c(struct.pack("<11q", *numbers) + name.encode() + passed)
            journal.execute("UPDATE lane SET checksum = ? WHERE name = 'out'", [right])
        journal.close()
        self.only_fault("journal", "accounts of destination out say 3 pending and 0 dead, there are 0 and 0")

    def test_a_broken_structure(self):
        self.waiting()
        self.alter("PRAGMA wal_checkpoint(TRUNCATE)")
        path = pathlib.Path(self.path("state/journal.db"))
        data = bytearray(path.read_bytes())
        with sqlite3.connect(f"file:{path}?immutable=1", uri=True) as journal:
            (page,) = journal.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'aside_dead'").fetchone()
        journal.close()
        data[(page - 1) * 4096:page * 4096] = os.urandom(4096)
        path.write_bytes(data)
        self.assertIn("journal", {f["about"] for f in self.faults()})

    def test_a_foreign_and_a_newer_database(self):
        self.whole.stop()
        self.alter("PRAGMA user_version = 99")
        self.assertIn("version of checkrelay", self.only_fault("journal", "newer")["advice"])
        self.alter("PRAGMA user_version = 1", "PRAGMA application_id = 7")
        self.only_fault("journal", "not a checkrelay journal")

    def test_records_from_the_future(self):
        self.whole.stop()
        self.alter(f"UPDATE log SET at = {int((time.time() + 86400) * 1e6)}")
        self.only_fault("journal", "in the future")

    def test_modes_that_let_others_in(self):
        (self.directory / "secret").write_text("mysecret\n")
        os.chmod(self.path("secret"), 0o644)
        central = self.op5_destination(self.sim)
        del central["password"]
        self.whole.write(self.config([{"type": "spool", "path": self.path("spool")}],
                                     [{**central, "password_file": self.path("secret")}, self.file_destination()]))
        os.chmod(self.path("state"), 0o755)
        os.chmod(self.path("spool"), 0o777)
        self.addCleanup(os.chmod, self.path("state"), 0o700)
        found = {f["about"]: f["advice"] for f in self.faults()}
        self.assertEqual(set(found), {"state directory", "password_file", "intake spool"})
        self.assertEqual(found["state directory"], "chmod 700 " + self.path("state"))

    def test_a_secret_in_an_open_configuration(self):
        os.chmod(self.whole.file, 0o644)
        self.only_fault("configuration", "holds a secret")

    def test_a_faulty_configuration_does_not_hide_the_rest(self):
        self.whole.file.write_text(self.whole.file.read_text() + "[limits]\nmax_resutl = 3\n")
        fault = self.only_fault("configuration", "max_resutl")
        self.assertTrue(fault["advice"])
        self.assertTrue(any("30 records" in f["what"] for f in self.examine(1)))

    def test_an_agent_that_does_not_answer(self):
        os.unlink(self.path("agent.sock"))
        self.only_fault("agent", f"process {self.whole.process.pid} has the state directory")

    def test_beside_a_busy_agent_it_comes_to_an_end(self):
        self.sim.stop()
        for _ in range(20):
            self.accept(self.whole, *(result(n, host=f"h{n}") for n in range(200)))
        found = self.examine(1)
        journal = [f for f in found if f["about"] == "journal"]
        self.assertEqual([f for f in journal if f["kind"] == "fault"], [])
        self.assertTrue(any("every checksum is right" in f["what"] for f in journal), journal)
