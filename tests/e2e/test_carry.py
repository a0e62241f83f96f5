"""Results carried by hand from one agent to another: export, import, release."""

import os
import pathlib
import stat

from simulators.op5 import Op5

from .harness import Case, Agent, result, run


def crc32c(data, crc=0):
    crc ^= 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def open_bundle(data):
    """[(seq, body)] of an open bundle, by spool/FORMAT.md alone."""
    def number(at, size):
        return int.from_bytes(data[at:at + size], "little")

    def varint(text, at):
        value = shift = 0
        while True:
            value |= (text[at] & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if text[at - 1] < 0x80:
                return value, at

    assert data[:10] == b"CRBUNDLE\x01\x00" and number(18, 4) == crc32c(data[:18])
    at, chunk, records = 22, 0, []
    while True:
        length, checksum = number(at, 4), number(at + 4, 4)
        text, at = data[at + 8:at + 4 + length], at + 4 + length
        assert checksum == crc32c(data[:22] + chunk.to_bytes(8, "little") + text)
        chunk, place = chunk + 1, 1
        if text[0] == 1:
            assert varint(text, 1) == (len(records), len(text)) and at == len(data)
            return records
        while place < len(text):
            seq, place = varint(text, place)
            size, place = varint(text, place)
            records.append((seq, text[place:place + size]))
            place += size


class Carry(Case):
    def setUp(self):
        super().setUp()
        sim = Op5().start()
        self.url = sim.url
        sim.stop()
        self.source = self.agent(destinations=[self.waiting("central")])
        os.mkdir(self.path("far"))
        self.file = self.path("results.crb")

    def waiting(self, name, **options):
        """A destination that takes nothing and keeps nothing under way for long."""
        return {"name": name, "type": "op5", "url": self.url, "username": "u", "password": "p", "backlog": "all",
                "retry_min": "1h", "retry_max": "1h", **options}

    def target(self, start=True):
        """The other agent; what it has goes to the file `arrived`."""
        config = self.config(destinations=[self.file_destination("arrived")],
                             agent={"state_dir": self.path("far/state"), "socket": self.path("far/agent.sock")})
        agent = Agent(self.path("far"), config)
        self.agents.append(agent)
        self.addCleanup(self._end, agent)
        return agent.start() if start else agent

    def fill(self, count=5, agent=None):
        agent = agent or self.source
        ids = self.accept(agent, *(result(n, service=f"S{n % 3}", time=1700000000.25 + n, ttl=90, check_source="probe",
                                          output=f"n={n} a|b", perfdata="" if n % 2 else "x=1")
                                   for n in range(count)))
        agent.wait_destination("central", lambda d: d["state"] == "backoff" and d["in_flight"] == 0)
        return ids

    def export(self, *words, code=0, agent=None):
        done = (agent or self.source).cli("queue", "export", self.file, *words)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def carry_in(self, agent, *words, code=0):
        done = agent.cli("queue", "import", self.file, *words)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def passphrase(self, text="open sesame\n", name="secret"):
        (self.directory / name).write_text(text)
        return ("--passphrase-file", self.path(name))

    def test_ids_times_order_and_everything_else_arrive_once(self):
        ids = self.fill(20)
        self.assertIn("20 results", self.export().stdout)
        self.assertEqual(stat.S_IMODE(os.stat(self.file).st_mode), 0o600)
        target = self.target()
        for _ in range(2):
            self.assertIn("20 of 20", self.carry_in(target).stdout)
        target.wait_idle()
        rows = self.delivered("arrived")
        self.assertEqual([r["id"] for r in rows], ids)
        for n, row in enumerate(rows):
            self.assertEqual((row["host"], row["service"], row["output"], row["perfdata"], row["check_source"]),
                             ("db1", f"S{n % 3}", f"n={n} a|b", "" if n % 2 else "x=1", "probe"))
            self.assertIn(f"{(13 * 60 + 20 + n) % 60:02}.25", str(row["time"])) if isinstance(row["time"], str) \
                else self.assertEqual(row["time"], 1700000000.25 + n)
        self.assertEqual(self.source.destination("central")["pending"], 20)

    def test_release_gives_up_exactly_what_is_in_the_file(self):
        ids = self.fill()
        done = self.export("--release")
        self.assertIn("5 deliveries", done.stdout)
        status = self.source.destination("central")
        self.assertEqual((status["pending"], status["expired"]), (0, 5))
        story = self.source.cli("queue", "show", ids[0]).stdout
        self.assertIn("dropped at central: exported", story)
        self.carry_in(self.target())
        self.wait_delivered(5, "arrived")

    def test_one_destinations_results_alone(self):
        self.source.write(self.config(destinations=[self.waiting("central"), self.waiting("second")],
                                      route=[{"host": "db*", "destinations": ["central"]},
                                             {"host": "*", "destinations": ["second"]}]))
        self.source.restart()
        self.accept(self.source, result(1), result(2, host="web1"), result(3))
        for name in ("central", "second"):
            self.source.wait_destination(name, lambda d: d["state"] == "backoff" and d["in_flight"] == 0)
        before = {name: self.source.destination(name)["pending"] for name in ("central", "second")}
        self.export("--destination", "second", "--release")
        self.assertEqual(self.source.destination("second")["pending"], 0)
        self.assertEqual(self.source.destination("central")["pending"], before["central"])
        self.export("--destination", "nowhere", code=1)

    def test_the_document_is_enough_to_write_a_reader(self):
        ids = self.fill(4)
        self.export()
        bodies = open_bundle(pathlib.Path(self.file).read_bytes())
        self.assertEqual([seq for seq, _ in bodies], [1, 2, 3, 4])
        for id_, (_, body) in zip(ids, bodies):
            self.assertIn(id_.encode(), body)

    def test_passphrase_protects(self):
        self.fill()
        self.export(*self.passphrase())
        self.assertNotIn(b"probe", pathlib.Path(self.file).read_bytes())
        target = self.target()
        self.assertIn("passphrase", self.carry_in(target, code=1).stderr)
        done = self.carry_in(target, *self.passphrase("other", "wrong"), code=1)
        self.assertIn("passphrase is wrong", done.stderr)
        self.assertIn("nothing was imported", done.stderr)
        self.assertEqual(target.destination("arrived")["delivered"], 0)
        self.carry_in(target, *self.passphrase())
        self.wait_delivered(5, "arrived")

    def test_faulty_files_are_refused_whole(self):
        self.fill()
        self.export()
        whole = pathlib.Path(self.file).read_bytes()
        target = self.target()
        cut, flipped = whole[:-9], bytearray(whole)
        flipped[len(whole) // 2] ^= 4
        newer = bytearray(whole)
        newer[8] = 99
        for bad, words in ((cut, "not complete"), (bytes(flipped), "damaged"), (bytes(newer), "newer checkrelay"),
                           (b"PK\x03\x04" + b"x" * 100, "no bundle"), (b"", "no bundle"), (whole + b"x", "behind the end"),
                           (whole[:15], "within its head")):
            pathlib.Path(self.file).write_bytes(bad)
            done = self.carry_in(target, code=1)
            self.assertIn(words, done.stderr)
            self.assertIn("nothing was imported", done.stderr)
        self.assertEqual(target.intake("unix")["accepted"], 0)

    def test_an_existing_file_is_not_touched_and_nothing_is_left_beside_it(self):
        self.fill()
        pathlib.Path(self.file).write_text("mine")
        self.assertIn("exists", self.export("--release", code=1).stderr)
        self.assertEqual(pathlib.Path(self.file).read_text(), "mine")
        self.assertEqual([n for n in os.listdir(self.directory) if "crb" in n], ["results.crb"])
        self.assertEqual(self.source.destination("central")["pending"], 5)

    def test_nothing_pending_makes_no_file(self):
        self.assertIn("nothing is pending", self.export(code=1).stderr)
        self.assertFalse(os.path.exists(self.file))

    def test_a_stopped_agent_exports_but_cannot_release(self):
        self.fill()
        self.source.kill()
        done = run("queue", "export", self.file, "--release", "--config", self.source.file)
        self.assertEqual(done.returncode, 3)
        self.assertFalse(os.path.exists(self.file))
        done = run("queue", "export", self.file, "--config", self.source.file)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.carry_in(self.target())
        self.wait_delivered(5, "arrived")

    def test_what_the_other_agent_refuses_is_told_one_by_one(self):
        self.fill()
        self.export()
        target = self.target(start=False)
        target.write({**target.config, "route": [{"host": "db1", "service": "S1", "destinations": ["arrived"]}]})
        target.start()
        done = self.carry_in(target, code=1)
        self.assertIn("2 of 5 results", done.stdout)
        self.assertIn("result 1: no route takes", done.stderr)

    def test_without_an_agent_nothing_is_imported(self):
        self.fill()
        self.export()
        target = self.target(start=False)
        done = self.carry_in(target, code=3)
        self.assertIn("0 of 5 results", done.stdout)
        self.assertIn("import the file again", done.stderr)

    def test_many_pages_travel(self):
        ids = self.fill(3000)
        self.export("--release")
        self.assertEqual(self.source.destination("central")["pending"], 0)
        target = self.target()
        self.assertIn("3000 of 3000", self.carry_in(target).stdout)
        self.wait_delivered(3000, "arrived")
        arrived = [r["id"] for r in self.delivered("arrived")]
        for k in range(3):
            self.assertEqual([i for i in arrived if i in set(ids[k::3])], ids[k::3])
