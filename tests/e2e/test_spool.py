"""The spool directory: what is taken, what is kept and why, and what is never touched."""

import json
import os
import pathlib
import pwd
import socket
import time
import unittest

from . import wire
from .harness import PATIENCE, SANITIZED, Case, result, wait_until

MANY = int(os.environ.get("CHECKRELAY_SPOOL_FILES", "3000" if SANITIZED else "50000"))
ROOT = os.geteuid() == 0


def line(n=1, **more):
    return json.dumps(result(n, **more)).encode() + b"\n"


class SpoolCase(Case):
    def setUp(self):
        super().setUp()
        self.spool = pathlib.Path(self.path("spool"))

    def watch(self, start=True, **options):
        return self.agent([{"type": "spool", "path": str(self.spool), **options}], start=start)

    def put(self, name, data, **options):
        return pathlib.Path(wire.spool(str(self.spool), name, data, **options))

    def gone(self, *paths):
        wait_until(lambda: not any(p.exists() for p in paths), "the files to be removed")

    def rejected(self, name):
        """What stands in rejected/ for a file: (its bytes, why), once it is there."""
        why = self.spool / "rejected" / f"{name}.why"
        wait_until(lambda: why.exists() and (self.spool / "rejected" / name).exists(), f"{why.name}")
        return (self.spool / "rejected" / name).read_bytes(), why.read_text()


class Taking(SpoolCase):
    def test_file_is_removed_only_after_its_results_are_kept(self):
        agent = self.watch()
        files = [self.put(f"r{n}", b"".join(line(n * 10 + i) for i in range(10))) for n in range(10)]
        self.gone(*files)
        agent.kill()
        agent.start()
        wait_until(lambda: len({r["id"] for r in self.delivered()}) == 100, "every result")

    def test_directory_is_made_where_missing(self):
        self.watch()
        self.assertTrue(self.spool.is_dir())

    def test_files_put_while_the_agent_is_down_are_taken_at_start_in_order_of_age(self):
        self.spool.mkdir()
        for n in range(20):
            self.put(f"r{19 - n:02}", line(n))
            os.utime(self.spool / f"r{19 - n:02}", (1700000000 + n, 1700000000 + n))
        self.watch()
        self.wait_delivered(20)
        wait_until(lambda: list(self.spool.glob("r*")) in ([], [self.spool / "rejected"]), "an empty directory")
        self.assertEqual(sorted(self.outputs()), sorted(f"n={n}" for n in range(20)))

    def test_check_result_file_waits_for_its_ok(self):
        self.watch()
        text = ("### Passive Check Result File ###\nfile_time=1700000000\n\n### Nagios Service Check Result ###\n"
                "host_name=db1\nservice_description=Backup\ncheck_type=1\nscheduled_check=0\nlatency=0.5\nstart_time=1700000000.5\n"
                "finish_time=1700000001.5\nearly_timeout=0\nexited_ok=1\nreturn_code=2\noutput=CRIT - 9 of 10|x=9\\nline two\\nback\\\\slash\n\n"
                "host_name=web1\ncheck_type=1\nreturn_code=1\noutput=no ping\n\n").encode()
        early = self.put("cAbC123", text)
        self.put("after", line(1))
        self.wait_delivered(1)
        self.assertTrue(early.exists())
        ok = pathlib.Path(str(early) + ".ok")
        ok.touch()
        rows = self.wait_delivered(3)[1:]
        self.assertEqual([(r["host"], r.get("service", ""), r["state"]) for r in rows],
                         [("db1", "Backup", 2), ("web1", "", 1)])
        self.assertEqual(rows[0]["output"].split("\n")[0], "CRIT - 9 of 10")
        self.assertIn("line two\nback\\slash", rows[0]["output"])
        self.assertEqual((rows[0]["perfdata"], rows[1]["output"]), ("x=9", "no ping"))
        self.gone(early, ok)

    def test_a_backlog_of_very_many_files_is_drained_while_others_are_served(self):
        self.spool.mkdir()
        for n in range(MANY):
            with open(self.spool / f"f{n:06}", "wb") as file:
                file.write(b"db1\ts%d\t0\tn=%d\n" % (n % 100, n))
        agent = self.watch()
        begun = time.monotonic()
        self.accept(agent, result(1, service="beside"))
        self.assertLess(time.monotonic() - begun, PATIENCE)
        wait_until(lambda: agent.intake("spool")["accepted"] >= MANY, "the backlog to be taken", timeout=4 * PATIENCE)
        wait_until(lambda: agent.destination("out")["delivered"] == MANY + 1, "everything to be delivered",
                   timeout=4 * PATIENCE)
        self.assertEqual(len({r["id"] for r in self.delivered()}), MANY + 1)
        self.assertEqual([p.name for p in self.spool.iterdir() if p.name != "rejected"], [])
        if not SANITIZED:
            self.assertIn("draining spool directory", agent.stderr())

    def test_one_large_file_is_taken_whole(self):
        agent = self.watch()
        count = 2000 if SANITIZED else 20000
        file = self.put("large", b"".join(line(n, service=f"s{n % 500}") for n in range(count)))
        self.gone(file)
        self.assertEqual(agent.intake("spool")["accepted"], count)
        rows = self.wait_delivered(count)
        self.assertEqual([r["output"] for r in rows if r["service"] == "s7"], [f"n={n}" for n in range(7, count, 500)])

    def test_a_name_used_again_is_taken_again(self):
        self.watch()
        for n in range(5):
            self.gone(self.put("same", line(n)))
        self.assertEqual([r["output"] for r in self.wait_delivered(5)], [f"n={n}" for n in range(5)])


class Rejecting(SpoolCase):
    def test_good_results_of_a_bad_file_are_taken_and_the_file_is_kept_with_the_reasons(self):
        agent = self.watch()
        data = line(1) + b'{"host":"db1","service":"Backup","state":9,"output":"x"}\n' + line(2) + b"{nonsense\n"
        file = self.put("mixed", data)
        kept, why = self.rejected("mixed")
        self.assertEqual(kept, data)
        for word in ("line 2", "state", "9", "line 4"):
            self.assertIn(word, why)
        self.assertEqual([r["output"] for r in self.wait_delivered(2)], ["n=1", "n=2"])
        self.assertFalse(file.exists())
        self.assertEqual((agent.intake("spool")["accepted"], agent.intake("spool")["refused"]), (2, 2))

    def test_rejected_files_of_one_name_do_not_overwrite_each_other(self):
        self.watch()
        for text in (b"first\n", b"second\n"):
            self.gone(self.put("same", text))
        wait_until(lambda: len(self.kept()) == 2, "both files in rejected/")
        self.assertEqual(self.kept(), [b"first\n", b"second\n"])

    def kept(self):
        files = (self.spool / "rejected").iterdir()
        return sorted(p.read_bytes() for p in files if not p.name.endswith(".why"))

    def test_garbage_and_empty_files_stop_no_one(self):
        self.watch()
        self.put("empty", b"")
        self.put("zeros", b"\0" * 100000)
        self.put("noise", bytes(range(256)) * 100)
        self.put("long", b"x" * 1000000)
        self.put("claims", b"\xdf\xff\xff\xff\xff")
        self.put("good", line(1))
        self.wait_delivered(1)
        for name in ("zeros", "noise", "long", "claims"):
            self.rejected(name)

    def test_check_result_file_without_host_is_rejected(self):
        self.watch()
        self.put("cXXXXXX", b"service_description=Backup\nreturn_code=0\noutput=x\n\n", ok=True)
        self.assertIn("host", self.rejected("cXXXXXX")[1])


class NeverTouched(SpoolCase):
    def beside(self):
        """A good file put after the odd ones has been taken, so the odd ones have been seen."""
        self.gone(self.put("good", line(1)))
        self.wait_delivered(1)

    def test_hidden_and_tmp_names_are_left_alone(self):
        self.watch()
        names = (".hidden", "half.tmp", "cAbC124.tmp")
        for name in names:
            (self.spool / name).write_bytes(line(9))
        self.beside()
        self.assertEqual([(self.spool / n).read_bytes() for n in names], [line(9)] * 3)
        (self.spool / "half.tmp").rename(self.spool / "whole")
        self.wait_delivered(2)

    def test_symbolic_links_are_never_followed(self):
        self.watch()
        secret = pathlib.Path(self.path("secret"))
        secret.write_bytes(line(9))
        (self.spool / "link").symlink_to(secret)
        (self.spool / "dangling").symlink_to(self.path("nowhere"))
        self.beside()
        self.assertEqual(self.outputs(), ["n=1"])
        self.assertEqual(secret.read_bytes(), line(9))

    def test_fifos_sockets_and_directories_are_never_read(self):
        agent = self.watch()
        os.mkfifo(self.spool / "pipe")
        (self.spool / "folder").mkdir()
        (self.spool / "folder" / "inner").write_bytes(line(9))
        with socket.socket(socket.AF_UNIX) as door:
            door.bind(str(self.spool / "door"))
        if ROOT:
            os.mknod(self.spool / "zero", 0o020644, os.makedev(1, 5))
        self.beside()
        self.assertTrue(agent.running())
        self.assertEqual(self.outputs(), ["n=1"])

    @unittest.skipUnless(ROOT, "needs root to own files as other users")
    def test_files_of_users_that_the_intake_does_not_admit_are_not_read(self):
        self.watch(start=False, allow_users=["root"])
        self.spool.mkdir()
        foreign = self.spool / ".foreign"
        foreign.write_bytes(line(9))
        os.chown(foreign, pwd.getpwnam("nobody").pw_uid, -1)
        os.rename(foreign, self.spool / "foreign")
        self.agents[0].start()
        self.beside()
        self.assertEqual(self.outputs(), ["n=1"])

    @unittest.skipUnless(ROOT, "needs root to own files as other users")
    def test_a_hard_link_to_someone_elses_file_is_judged_by_its_owner(self):
        self.watch(allow_users=["nobody"])
        foreign = pathlib.Path(self.path("roots"))
        foreign.write_bytes(line(9))
        os.link(foreign, self.spool / "linked")
        (self.spool / ".mine").write_bytes(line(1))
        os.chown(self.spool / ".mine", pwd.getpwnam("nobody").pw_uid, -1)
        os.rename(self.spool / ".mine", self.spool / "mine")
        self.wait_delivered(1)
        self.assertEqual(self.outputs(), ["n=1"])
        self.assertEqual(foreign.read_bytes(), line(9))
