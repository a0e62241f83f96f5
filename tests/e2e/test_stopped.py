"""The queue of an agent that does not run: read from its journal, which stays as it was."""

import hashlib
import json
import os
import pathlib

from simulators.op5 import Op5

from .harness import Case, result, run, wait_until


class StoppedQueue(Case):
    def setUp(self):
        super().setUp()
        gone = Op5().start()
        gone.stop()
        self.whole = self.agent(destinations=[self.op5_destination(gone, backlog="latest"), self.file_destination()])

    def state(self):
        """Everything that can be seen of the state directory."""
        rows = {}
        for name in sorted(os.listdir(self.path("state"))):
            path = pathlib.Path(self.path("state")) / name
            about = path.stat()
            rows[name] = (about.st_mtime_ns, about.st_mode, hashlib.sha256(path.read_bytes()).hexdigest())
        return rows

    def queue(self, *words, code=0):
        before = self.state()
        done = run("queue", *words, "--config", self.whole.file)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        self.assertEqual(self.state(), before)
        return done

    def rows(self, *words):
        done = self.queue("list", "--json", *words)
        self.assertIn("not running", done.stderr)
        return json.loads(done.stdout)["rows"]

    def fill(self):
        ids = self.accept(self.whole, *(result(n, service=f"S{n % 3}") for n in range(9)))
        self.whole.wait_idle("out")
        return ids

    def ended(self, ident):
        story = json.loads(self.whole.cli("queue", "show", ident, "--json").stdout)
        return {d["state"] for d in story["destinations"]} <= {"delivered", "superseded"}

    def test_after_a_kill_the_log_beside_the_database_counts(self):
        ids = self.fill()
        self.whole.kill()
        self.assertGreater(os.path.getsize(self.path("state/journal.db-wal")), 0)
        pending = self.rows("--state", "pending", "--destination", "central")
        self.assertEqual([r["id"] for r in pending], ids[6:])
        self.assertEqual([r["id"] for r in self.rows("--destination", "out")], ids)
        self.assertEqual(len(self.rows("--host", "web*")), 0)

    def test_after_a_clean_stop_it_is_the_same(self):
        ids = self.fill()
        self.assertEqual(self.whole.stop(), 0)
        self.assertEqual([r["id"] for r in self.rows("--state", "pending")], ids[6:])

    def test_a_story_is_told_as_the_agent_tells_it(self):
        ids = self.fill()
        wait_until(lambda: self.ended(ids[0]), "the end of the first result")  # it may still be on its way to `central`
        told = self.whole.cli("queue", "show", ids[0]).stdout
        self.whole.kill()
        done = self.queue("show", ids[0])
        self.assertEqual(done.stdout, told)
        self.assertIn("delivered", done.stdout)
        self.assertIn("no result", self.queue("show", "nonsense", code=1).stderr)

    def test_what_changes_the_queue_is_refused_with_the_reason(self):
        ids = self.fill()
        self.whole.stop()
        for words in (("retry",), ("drop", ids[0])):
            done = self.queue(*words, code=3)
            self.assertIn("only an agent that runs", done.stderr)

    def test_a_hung_agent_keeps_its_journal_to_itself(self):
        self.fill()
        os.unlink(self.path("agent.sock"))
        done = run("queue", "list", "--config", self.whole.file)
        self.assertEqual(done.returncode, 3, done.stdout)
        self.assertIn(f"process {self.whole.process.pid} has", done.stderr)

    def test_another_agents_socket_does_not_lead_to_this_journal(self):
        self.whole.stop()
        done = run("queue", "list", "--config", self.whole.file, "-C", self.path("other.sock"))
        self.assertEqual(done.returncode, 3)

    def test_without_a_journal_there_is_nothing_to_read_and_nothing_is_made(self):
        self.whole.stop()
        config = dict(self.whole.config, agent=dict(self.whole.config["agent"], state_dir=self.path("nowhere")))
        self.whole.write(config)
        done = run("queue", "list", "--config", self.whole.file)
        self.assertEqual(done.returncode, 3, done.stdout)
        self.assertFalse(os.path.exists(self.path("nowhere")))

    def test_the_agent_starts_beside_a_reader_and_goes_on_after_it(self):
        ids = self.fill()
        self.whole.kill()
        self.rows()
        self.whole.start()
        central = self.whole.destination("central")
        self.assertEqual(central["pending"] + central["in_flight"], 3)
        self.assertEqual(self.whole.cli("queue", "show", ids[8]).returncode, 0)
