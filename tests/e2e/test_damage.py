"""A journal that is damaged while the agent is down: it starts, says what is lost, keeps the damaged file, and
delivers the rest to whom it is meant for."""

import glob
import os
import pathlib
import sqlite3

from simulators.op5 import Op5

from .harness import Case, result, wait_until

PAGE = 4096


class Damage(Case):
    def setUp(self):
        super().setUp()
        self.sim = Op5().start()
        self.addCleanup(self.sim.stop)
        self.whole = self.agent(destinations=[self.op5_destination(self.sim), self.file_destination()])
        for name in ("central", "out"):
            self.whole.cli("queue", "pause", name)
        self.accept(self.whole, *(result(n, service=f"S{n}", output=f"needle-{n}-" + "x" * 300) for n in range(60)))
        self.whole.stop()

    def journal(self):
        return pathlib.Path(self.path("state/journal.db"))

    def page_of(self, table):
        with sqlite3.connect(f"file:{self.journal()}?immutable=1", uri=True) as journal:
            (page,) = journal.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", [table]).fetchone()
        journal.close()
        return page

    def overwrite(self, page, bytes_):
        data = bytearray(self.journal().read_bytes())
        data[(page - 1) * PAGE:(page - 1) * PAGE + len(bytes_)] = bytes_
        self.journal().write_bytes(data)

    def kept(self):
        return sorted(os.path.basename(p) for p in glob.glob(self.path("state/journal.db.*")))

    def resume(self, *names):
        for name in names:
            self.assertEqual(self.whole.cli("queue", "resume", name).returncode, 0)

    def test_what_can_be_read_is_delivered_and_the_rest_is_told(self):
        data = self.journal().read_bytes()
        page = data.index(b"needle-30-") // PAGE + 1
        noise = os.urandom(PAGE)
        self.overwrite(page, noise)
        self.whole.start()
        wait_until(lambda: self.kept() == ["journal.db.damaged-1"], "the damaged journal to be moved aside")
        wait_until(lambda: "moved aside" in self.whole.stderr(), "the agent to tell of it")
        self.assertIn(noise, pathlib.Path(self.path("state/journal.db.damaged-1")).read_bytes())
        told = self.whole.stderr()
        self.assertIn("lost and counted as expired", told)
        self.assertIn("missing are the numbers", told)
        self.resume("central", "out")
        self.whole.wait_idle("central", "out")
        lost = self.whole.destination("out")["expired"]
        self.assertTrue(0 < lost < 60, lost)
        found = [line for line in self.outputs() if "needle" in line]
        self.assertEqual(len(found), 60 - lost)
        self.assertEqual(len(set(found)), len(found))
        self.accept(self.whole, result(99, output="afterwards"))
        self.whole.wait_idle("central", "out")
        self.whole.restart()
        self.assertEqual(self.kept(), ["journal.db.damaged-1"], "it is done once")

    def test_no_destination_gets_what_is_meant_for_another(self):
        self.overwrite(self.page_of("lane"), bytes(PAGE))
        self.whole.config["destination"].reverse()
        self.whole.write()
        self.whole.start()
        for name in ("central", "out"):
            d = self.whole.destination(name)
            self.assertEqual(d["state"], "paused", d)
            self.assertEqual(d["pending"], 60)
        self.resume("out")
        self.whole.wait_idle("out")
        self.assertEqual(len(self.outputs()), 60)
        self.assertEqual(self.whole.destination("central")["pending"], 60)

    def test_a_foreign_file_in_its_place_is_kept(self):
        self.journal().write_bytes(b"not a database" * 5000)
        self.whole.start()
        self.assertEqual(self.kept(), ["journal.db.damaged-1"])
        self.accept(self.whole, result(1, output="afterwards"))
        self.whole.wait_idle("central", "out")
        self.assertEqual(self.outputs(), ["afterwards"])
