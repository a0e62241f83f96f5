"""The journal of an agent that was killed, read by what spool/FORMAT.md says and nothing else."""

import json
import os
import pathlib
import re
import shutil
import sqlite3
import struct

from simulators.op5 import Op5

from .harness import Case, result, run, wait_until
from .test_carry import crc32c

FORMAT = pathlib.Path(__file__).parents[2] / "spool" / "FORMAT.md"
ACCOUNTS = "cursor folded latest_upto pending delivered superseded expired dead retries paused".split()
DELIVERED, DEAD, DROPPED = 1, 2, 8


class Bytes:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, size):
        piece = self.data[self.at:self.at + size]
        assert len(piece) == size, (self.at, size)
        self.at += size
        return piece

    def fixed(self, size):
        return int.from_bytes(self.take(size), "little")

    def varint(self):
        value = shift = 0
        while True:
            byte = self.fixed(1)
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def signed(self):
        n = self.varint()
        return n >> 1 if n % 2 == 0 else -(n >> 1) - 1

    def left(self):
        return len(self.data) - self.at


def fixed(number, size=8):
    return (number % 2 ** (8 * size)).to_bytes(size, "little")


def frame(data, seq):
    """One record from the front of `data`."""
    size, checksum = data.varint(), data.fixed(4)
    payload = data.take(size)
    assert checksum == crc32c(fixed(seq) + payload), seq
    p = Bytes(payload)
    record = {"seq": seq, "given": p.fixed(1), "state": p.fixed(1), "lanes": p.varint(), "subject": p.fixed(8)}
    record["time"] = p.signed()
    record["received"] = record["time"] + p.signed()
    record["id"] = p.take(p.fixed(1)).decode()
    record["body"] = p.take(p.left())
    return record


def packed(body):
    """The elements of a packed check result: a MessagePack array of integers and strings."""
    b = Bytes(body)

    def value():
        kind = b.fixed(1)
        if kind < 0x80:
            return kind
        if kind >= 0xE0:
            return kind - 0x100
        if 0x90 <= kind < 0xA0:
            return [value() for _ in range(kind & 0xF)]
        if 0xA0 <= kind < 0xC0:
            return b.take(kind & 0x1F).decode()
        if 0xD9 <= kind <= 0xDB:
            size = 2 ** (kind - 0xD9)
            return b.take(int.from_bytes(b.take(size), "big")).decode()
        assert 0xCC <= kind <= 0xD3, hex(kind)
        size = 2 ** ((kind - 0xCC) % 4)
        return int.from_bytes(b.take(size), "big", signed=kind >= 0xD0)

    elements = value()
    assert b.left() == 0 and elements[0] == 1
    return elements


def trail(data):
    """(seq, what, lane, answer) of each entry."""
    b = Bytes(data)
    assert b.fixed(4) == crc32c(data[4:])
    seq = said = 0
    entries = []
    while b.left() > 0:
        seq += b.signed()
        what, lane = b.fixed(1), b.fixed(1)
        b.signed()
        size = b.varint()
        if size > 1:
            said = b.take(size - 2).decode()
        entries.append((seq, what, lane, said if size else ""))
    return entries


class Reader:
    """What the tables say."""

    def __init__(self, path):
        journal = sqlite3.connect(path)
        journal.row_factory = sqlite3.Row
        self.application = journal.execute("PRAGMA application_id").fetchone()[0]
        self.version = journal.execute("PRAGMA user_version").fetchone()[0]
        self.batches = journal.execute("SELECT * FROM log ORDER BY first").fetchall()
        self.lanes = {row["name"]: row for row in journal.execute("SELECT * FROM lane")}
        self.done = {row["key"]: row for row in journal.execute("SELECT * FROM done")}
        self.asides = journal.execute("SELECT * FROM aside").fetchall()
        self.trails = journal.execute("SELECT * FROM trail ORDER BY number").fetchall()
        self.ids = {row["id"]: row["seq"] for row in journal.execute("SELECT * FROM id")}
        self.meta = dict(journal.execute("SELECT * FROM meta").fetchall())
        journal.close()
        self.records = [r for row in self.batches for r in self.batch(row)]

    @staticmethod
    def batch(row):
        data = Bytes(row["data"])
        records = [frame(data, seq) for seq in range(row["first"], row["last"] + 1)]
        assert data.left() == 0
        return records

    def runs(self, lane):
        """Numbers behind the cursor that are finished."""
        data, end, numbers = Bytes(lane["passed"]), lane["cursor"], set()
        while data.left() > 0:
            first = (end + data.varint()) % 2 ** 64
            end = (first + data.varint()) % 2 ** 64
            numbers |= set(range(first, end + 1))
        return numbers

    def bit(self, lane, seq):
        row = self.done.get(lane["id"] * 2 ** 50 + seq // 4096)
        return row is not None and row["bits"][seq % 4096 // 8] >> seq % 8 & 1

    def owed(self, name):
        """Ids, in order, of what the destination still has to get."""
        lane = self.lanes[name]
        passed = self.runs(lane)
        mine = [r for r in self.records if r["lanes"] >> lane["id"] & 1]
        newest = {r["subject"]: r["seq"] for r in mine if r["seq"] > lane["cursor"]}
        waits = [frame(Bytes(a["frame"]), a["key"] // 64) for a in self.asides
                 if a["key"] % 64 == lane["id"] and not a["dead"]]
        for r in mine:
            finished = r["seq"] <= lane["cursor"] or r["seq"] in passed or self.bit(lane, r["seq"])
            superseded = r["seq"] <= lane["latest_upto"] and newest.get(r["subject"]) != r["seq"]
            if not finished and not superseded:
                waits.append(r)
        return [r["id"] for r in sorted(waits, key=lambda r: r["seq"])]


class Format(Case):
    def setUp(self):
        super().setUp()
        self.gone = Op5().start()
        self.gone.stop()
        strict = Op5(objects={("db1", "S0")}).start()
        self.addCleanup(strict.stop)
        self.whole = self.agent(destinations=[
            self.file_destination(),
            self.op5_destination(self.gone, "all", backlog="all"),
            self.op5_destination(self.gone, "latest", backlog="latest"),
            self.op5_destination(self.gone, "changes", backlog="changes"),
            self.op5_destination(strict, "strict", backlog="all", unknown_object_retry="0s")])
        sent = [result(n, service=f"S{n % 3}", state=n // 6 % 3, perfdata=f"n={n}") for n in range(30)]
        self.sent = [dict(r, id=f"given-{n}") if n % 4 == 0 else r for n, r in enumerate(sent)]
        self.ids = self.accept(self.whole, *self.sent[:20]) + self.accept(self.whole, *self.sent[20:])
        self.whole.wait_idle("out")
        self.whole.wait_destination("strict", lambda d: d["delivered"] == 10 and d["dead"] == 20)
        self.assertEqual(self.whole.cli("queue", "drop", "--destination", "all", self.ids[7]).returncode, 0)
        self.assertEqual(self.whole.cli("queue", "pause", "changes").returncode, 0)
        wait_until(lambda: self.story(7).count("dropped") == 1, "the end of the dropped result")

    def story(self, n):
        return self.whole.cli("queue", "show", self.ids[n]).stdout

    def read(self):
        self.whole.kill()
        os.mkdir(self.path("copy"))
        for name in ("journal.db", "journal.db-wal"):
            shutil.copy(self.path(f"state/{name}"), self.path("copy"))
        return Reader(self.path("copy/journal.db"))

    def test_records_are_what_was_accepted(self):
        reader = self.read()
        self.assertEqual((reader.application, reader.version), (0x63726C79, 2))
        start = reader.batches[0]["start"]
        for row in reader.batches:
            self.assertEqual(row["start"], start)
            start += len(row["data"])
            lanes = 0
            for r in reader.batch(row):
                lanes |= r["lanes"]
            self.assertEqual(row["lanes"], lanes)
        self.assertEqual([r["id"] for r in reader.records], self.ids)
        hashes = {}
        for n, (r, sent) in enumerate(zip(reader.records, self.sent)):
            elements = packed(r["body"])
            self.assertEqual(elements[1:7], [r["id"], sent["host"], sent["service"], sent["state"], sent["output"],
                                             sent["perfdata"]])
            self.assertEqual(elements[7:9], [r["time"], r["received"]])
            self.assertEqual((r["state"], r["given"]), (sent["state"], n % 4 == 0))
            hashes.setdefault(sent["service"], set()).add(r["subject"])
        self.assertEqual(sorted(len(h) for h in hashes.values()), [1, 1, 1])
        self.assertEqual(len(set.union(*hashes.values())), 3)
        self.assertEqual(len(reader.meta["hash_key"]), 16)
        given = {r["id"]: r["seq"] for r in reader.records if r["given"]}
        self.assertEqual(reader.ids, given)

    def test_what_is_owed_is_what_the_queue_lists(self):
        reader = self.read()
        for name in ("out", "all", "latest", "changes", "strict"):
            done = run("queue", "list", "--json", "--state", "pending", "--destination", name, "--config",
                       self.whole.file)
            listed = [row["id"] for row in json.loads(done.stdout)["rows"]]
            self.assertEqual(reader.owed(name), listed, name)
        self.assertEqual(reader.owed("all"), self.ids[:7] + self.ids[8:])
        self.assertEqual(reader.owed("latest"), self.ids[-3:])
        self.assertTrue(3 < len(reader.owed("changes")) < 30)
        for d in reader.done.values():
            self.assertEqual(d["checksum"], crc32c(fixed(d["key"]) + d["bits"]))

    def test_accounts_and_names_are_sealed(self):
        reader = self.read()
        self.assertEqual(len(reader.lanes), 5)
        for name, lane in reader.lanes.items():
            sealed = b"".join(fixed(lane[c]) for c in ["id", *ACCOUNTS]) + name.encode() + lane["passed"]
            self.assertEqual(lane["checksum"], crc32c(sealed))
            second = Bytes(reader.meta[f"lane {lane['id']}"])
            checksum = second.fixed(4)
            self.assertEqual(checksum, crc32c(fixed(lane["id"]) + second.data[4:]))
            self.assertEqual((second.fixed(8), second.take(second.left()).decode()), (lane["paused"], name))
        self.assertEqual([n for n, lane in reader.lanes.items() if lane["paused"]], ["changes"])

    def test_the_dead_and_the_trail_tell_what_became_of_each(self):
        reader = self.read()
        seqs = {r["id"]: r["seq"] for r in reader.records}
        strict = reader.lanes["strict"]["id"]
        dead = {a["key"] // 64: a for a in reader.asides if a["dead"]}
        self.assertEqual(sorted(dead), [seqs[i] for n, i in enumerate(self.ids) if n % 3])
        for seq, a in dead.items():
            self.assertEqual(a["key"] % 64, strict)
            self.assertIn("service", a["answer"])
            self.assertEqual(frame(Bytes(a["frame"]), seq), reader.records[seq - reader.records[0]["seq"]])
        ends = {(seq, lane): what for row in reader.trails for seq, what, lane, _ in trail(row["data"])}
        for row in reader.trails:
            told = [seq for seq, *_ in trail(row["data"])]
            self.assertEqual((row["low"], row["high"]), (min(told), max(told)))
        for n, ident in enumerate(self.ids):
            self.assertEqual(ends[seqs[ident], reader.lanes["out"]["id"]], DELIVERED)
            self.assertEqual(ends[seqs[ident], strict], DEAD if n % 3 else DELIVERED)
        self.assertEqual(ends[seqs[self.ids[7]], reader.lanes["all"]["id"]], DROPPED)

    def test_the_example_is_true(self):
        text = FORMAT.read_text()
        block = re.search(r"body `hi`:\n\n```\n(.*?)```", text, re.S).group(1)
        data = bytes.fromhex("".join(re.match(r"((?:[0-9a-f]{2} ?)+)", line).group(1).replace(" ", "")
                                     for line in block.splitlines()))
        r = frame(Bytes(data), 7)
        self.assertEqual((r["id"], r["given"], r["state"], r["lanes"], r["subject"], r["time"], r["received"],
                          r["body"]),
                         ("one", 1, 2, 5, 0x0807060504030201, 1700000000_000000, 1700000000_000005, b"hi"))
        self.assertEqual(struct.pack("<I", crc32c(b"123456789")), bytes.fromhex("839206e3"))  # RFC 3720's check value
