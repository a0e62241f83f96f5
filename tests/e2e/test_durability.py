"""Accepted means on disk; nothing disappears; what cannot be kept is refused in words."""

import http.client
import json
import os
import pathlib
import signal
import subprocess
import threading
import time
import unittest

from simulators.op5 import Op5

from . import toml_text, wire
from .harness import PATIENCE, Case, free_port, request, result, run, wait_until

SLOW_SYNC = os.environ.get("CHECKRELAY_SLOW_SYNC", "")
ROOT = os.geteuid() == 0


class Acknowledged(Case):
    def test_what_was_acknowledged_survives_sigkill_right_after(self):
        agent = self.agent(destinations=[self.file_destination("later", path=self.path("absent/out.jsonl"))])
        ids = []
        for n in range(5):
            with wire.Stream(agent.socket) as stream:
                for i in range(20):
                    ids.append(stream.ask(json.dumps(result(n * 20 + i)).encode() + b"\n")["id"])
                agent.kill()
            agent.start()
        self.assertEqual(agent.status()["journal"]["pending"], 100)
        (self.directory / "absent").mkdir()
        agent.wait_destination("later", lambda d: d["delivered"] == 100)
        rows = [json.loads(line) for line in (self.directory / "absent" / "out.jsonl").read_text().splitlines()]
        self.assertEqual([r["id"] for r in rows], ids)

    def test_same_id_is_stored_once_and_answered_ok_again_across_restarts(self):
        agent = self.agent()
        for _ in range(2):
            self.assertEqual(self.accept(agent, result(1, id="run-1")), ["run-1"])
        agent.wait_idle()
        agent.cli("queue", "show", "run-1")  # or the kill may come before the settlement's commit
        agent.kill()
        agent.start()
        self.assertEqual(self.accept(agent, result(1, id="run-1"), result(2, id="run-2")), ["run-1", "run-2"])
        agent.restart()
        self.accept(agent, result(2, id="run-2"), result(3))
        self.wait_delivered(3)
        self.assertEqual(self.outputs(), ["n=1", "n=2", "n=3"])

    def test_same_id_by_every_way_in_is_stored_once(self):
        port = free_port()
        agent = self.agent([{"type": "spool", "path": self.path("spool")},
                            {"type": "unixgram", "path": self.path("gram")},
                            {"type": "http", "listen": f"127.0.0.1:{port}", "dialects": ["native"]}])
        body = json.dumps(result(1, id="one")).encode() + b"\n"
        self.accept(agent, result(1, id="one"))
        self.assertEqual(agent.http("POST", "/v1/results", body).status, 200)
        reply = request(http.client.HTTPConnection("127.0.0.1", port, timeout=30), "POST", "/v1/results", body)
        self.assertEqual(reply.json["results"], [{"ok": True, "id": "one"}])
        wire.datagram(self.path("gram"), body)
        file = wire.spool(self.path("spool"), "again", body)
        agent.cli("send", "-H", "db1", "-S", "Backup", "-s", "OK", "-m", "n=1", "--id", "one")
        wait_until(lambda: not os.path.exists(file), "the file to be taken")
        self.accept(agent, result(2))
        self.wait_delivered(2)
        self.assertEqual(self.outputs(), ["n=1", "n=2"])


@unittest.skipUnless(SLOW_SYNC, "the sync shim is not built for this preset")
class SlowDisk(Case):
    def start(self, **sections):
        self.knob = self.directory / "sync"
        return self.agent(env={"LD_PRELOAD": SLOW_SYNC, "CHECKRELAY_SYNC": str(self.knob)}, **sections)

    def test_the_reply_waits_for_the_sync(self):
        port = free_port()
        agent = self.start(intakes=[{"type": "tcp", "listen": f"127.0.0.1:{port}"}])
        self.knob.write_text("delay 400")
        line = json.dumps(result(1)).encode() + b"\n"
        ways = (lambda: wire.talk(agent.socket, line), lambda: wire.talk(("127.0.0.1", port), line),
                lambda: agent.http("POST", "/v1/results", line),
                lambda: agent.cli("send", "-S", "x", "-s", "OK", "-m", "x"))
        for way in ways:
            begun = time.monotonic()
            way()
            self.assertGreaterEqual(time.monotonic() - begun, 0.4)

    def test_a_slow_disk_delays_only_those_who_wait_for_it(self):
        agent = self.start()
        self.knob.write_text("delay 1500")
        with wire.Stream(agent.socket) as stream:
            stream.send(json.dumps(result(1)).encode() + b"\n")
            begun = time.monotonic()
            self.assertEqual(agent.http("GET", "/healthz").status, 200)
            self.assertLess(time.monotonic() - begun, 1.2)
            self.assertTrue(stream.reply()["ok"])

    def test_many_producers_share_one_sync(self):
        agent = self.start()
        self.knob.write_text("delay 100")
        streams = [wire.Stream(agent.socket) for _ in range(50)]
        begun = time.monotonic()
        for n, stream in enumerate(streams):
            self.addCleanup(stream.close)
            stream.send(json.dumps(result(n, service=f"s{n}")).encode() + b"\n")
        self.assertTrue(all(stream.reply()["ok"] for stream in streams))
        self.assertLess(time.monotonic() - begun, 50 * 0.1)

    def test_a_disk_that_fails_is_told_to_the_producer_and_recovered_from(self):
        agent = self.start()
        kept = self.accept(agent, result(1))
        self.knob.write_text("fail")
        refused = self.send_json(agent, result(2))[0]
        self.assertFalse(refused["ok"])
        self.assertTrue(refused["error"])
        self.assertIn(agent.http("POST", "/v1/results", json.dumps(result(3))).status, (500, 503, 507))
        self.knob.write_text("none")
        again = wait_until(lambda: self.send_json(agent, result(4))[0].get("id"), "results to be taken again")
        wait_until(lambda: again in [r["id"] for r in self.delivered()], "the new result")
        self.assertIn(kept[0], [r["id"] for r in self.delivered()])

    def test_a_flood_is_slowed_by_not_being_read_and_memory_stays_bounded(self):
        agent = self.start()
        self.knob.write_text("delay 50")
        line = json.dumps({"host": "db1", "service": "Backup", "state": 0, "output": "x" * 1000}).encode() + b"\n"
        count, replies = 60000, []
        stream = wire.Stream(agent.socket)
        self.addCleanup(stream.close)
        reader = threading.Thread(target=lambda: replies.extend(stream.reply()["ok"] for _ in range(count)))
        reader.start()
        for _ in range(count // 100):
            stream.send(line * 100)
        reader.join(4 * PATIENCE)
        self.assertEqual(replies, [True] * count)
        self.assertLess(agent.memory("VmHWM"), 96 * 1024, "KiB of memory at its peak; 60 MB were sent")


class Full(Case):
    def fill(self, agent, size=60000, most=500):
        """Hands in until something is refused; the ids of what was accepted, and the refusal."""
        ids = []
        for n in range(most):
            reply = self.send_json(agent, {"host": "db1", "service": f"s{n}", "state": 0, "output": "x" * size})[0]
            if not reply["ok"]:
                return ids, reply["error"]
            ids.append(reply["id"])
        self.fail(f"{most} results of {size} bytes were all accepted")

    def until_refused(self, ask, most=20):
        """The first reply that is not 200, and those before it."""
        accepted = []
        while (reply := ask()).status == 200 and len(accepted) < most:
            accepted.append(reply)
        return reply, accepted

    def check_recovery(self, agent, sim, ids):
        sim.start()
        agent.wait_destination("central", lambda d: d["delivered"] == len(ids))
        wait_until(lambda: self.send_json(agent, result(1))[0]["ok"], "room again")
        agent.wait_destination("central", lambda d: d["delivered"] == len(ids) + 1)

    def upstream_down(self):
        sim = Op5().start()
        self.addCleanup(sim.stop)
        sim.stop()
        return sim

    def test_past_max_queue_new_results_are_refused_none_is_dropped_and_it_recovers(self):
        sim = self.upstream_down()
        port = free_port()
        agent = self.agent([{"type": "http", "listen": f"127.0.0.1:{port}", "dialects": ["native", "op5"]}],
                           [self.op5_destination(sim, backlog="all")], limits={"max_queue": "4MiB"})
        ids, error = self.fill(agent)
        self.assertIn("full", error)
        self.assertGreater(len(ids), 10)
        # What the upstream was just tried with is held twice for a moment: a little room may come back.
        body = json.dumps({"host": "db1", "service": "y", "state": 0, "output": "x" * 60000})
        native = lambda: agent.http("POST", "/v1/results", body)
        reply, accepted = self.until_refused(native)
        ids += accepted
        self.assertEqual(reply.status, 507)
        op5 = json.dumps({"host_name": "db1", "status_code": 0, "plugin_output": "x" * 60000})
        reply, accepted = self.until_refused(
            lambda: request(http.client.HTTPConnection("127.0.0.1", port, timeout=30), "POST",
                            "/api/command/PROCESS_HOST_CHECK_RESULT", op5))
        ids += accepted
        self.assertIn(reply.status, (500, 503, 507))
        self.assertIn("error", reply.json)

        def told():
            ids.extend(self.until_refused(native)[1])
            status = agent.cli("status")
            return status.returncode == 1 and "full" in status.stdout

        wait_until(told, "the status to say that the journal is full")
        self.check_recovery(agent, sim, ids)

    def test_full_spool_files_wait_until_there_is_room(self):
        sim = self.upstream_down()
        agent = self.agent([{"type": "spool", "path": self.path("spool")}], [self.op5_destination(sim, backlog="all")],
                           limits={"max_queue": "4MiB"})
        ids, _ = self.fill(agent)
        body = json.dumps({"host": "db1", "service": "spooled", "state": 0, "output": "x" * 60000}).encode()
        file = wire.spool(self.path("spool"), "waits", body)
        self.assertTrue(os.path.exists(file))
        sim.start()
        agent.wait_destination("central", lambda d: d["delivered"] >= len(ids) + 1)
        wait_until(lambda: not os.path.exists(file), "the file to be taken")
        self.assertEqual(list(pathlib.Path(self.path("spool"), "rejected").glob("*")), [])

    def mount(self, size):
        """A small file system; skips the test where there can be none."""
        small = self.path("small")
        os.mkdir(small)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", small],
                          capture_output=True).returncode:
            self.skipTest("cannot mount here")
        self.addCleanup(subprocess.run, ["umount", "-l", small], check=False)
        return small

    def fill_disk(self, small):
        """Writes a file until nothing more goes in; its name."""
        name = small + "/filler"
        with open(name, "wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(b"\0" * 4096)
            except OSError:
                return name

    @unittest.skipUnless(ROOT, "needs root to mount a small file system")
    def test_a_full_disk_while_a_file_is_rejected_loses_nothing(self):
        small = self.mount("2m")
        agent = self.agent([{"type": "spool", "path": small + "/spool"}])
        filler = self.fill_disk(small)
        data = json.dumps(result(1)).encode() + b"\n{nonsense\n"
        os.truncate(filler, os.path.getsize(filler) - 4096)
        file = wire.spool(small + "/spool", "mixed", data)
        self.wait_delivered(1)
        self.accept(agent, result(2))
        self.wait_delivered(2)
        os.unlink(filler)
        wire.spool(small + "/spool", "next", json.dumps(result(3)).encode())
        self.wait_delivered(3)
        kept = pathlib.Path(small, "spool", "rejected", "mixed")
        wait_until(lambda: kept.exists() and not os.path.exists(file), "the rejected file")
        self.assertEqual(kept.read_bytes(), data)
        self.assertEqual(self.outputs(), ["n=1", "n=2", "n=3"])

    @unittest.skipUnless(ROOT, "needs root to mount a small file system")
    def test_a_full_disk_is_told_nothing_accepted_is_lost_and_it_recovers(self):
        small = self.mount("8m")
        sim = self.upstream_down()
        agent = self.agent(destinations=[self.op5_destination(sim, backlog="all")],
                           agent={"state_dir": small + "/state"})
        with open(small + "/filler", "wb") as filler:
            filler.write(b"\0" * (3 << 20))
        ids, error = self.fill(agent)
        self.assertIn("full", error.lower())
        self.assertTrue(agent.running())
        os.unlink(small + "/filler")
        self.check_recovery(agent, sim, ids)


class OneOwner(Case):
    def test_a_second_process_on_the_same_state_directory_is_refused_clearly(self):
        agent = self.agent()
        other = self.config(agent={"socket": self.path("other.sock")})
        file = self.directory / "other.toml"
        file.write_text(toml_text.dumps(other))
        done = run("run", "--config", file)
        self.assertEqual(done.returncode, 1)
        self.assertIn(self.path("state"), done.stderr)
        self.accept(agent, result(1))
        agent.kill()
        agent.start()  # what is left of a killed one does not stop the next
        self.wait_delivered(1)

    def test_a_damaged_journal_is_reported_and_served_on(self):
        agent = self.agent()
        self.accept(agent, *(result(n) for n in range(100)))
        agent.wait_idle()
        agent.stop()
        files = [p for p in pathlib.Path(self.path("state")).rglob("*") if p.is_file() and p.stat().st_size > 4096]
        self.assertTrue(files)
        for file in files:
            data = bytearray(file.read_bytes())
            data[4096:] = os.urandom(len(data) - 4096)
            file.write_bytes(data)
        agent.start()
        self.assertRegex(agent.stderr().lower(), "damage|corrupt|lost")
        self.accept(agent, result(1000))
        wait_until(lambda: "n=1000" in self.outputs(), "the new result")


class Drain(Case):
    def test_sigterm_lets_what_is_in_flight_come_home(self):
        sim = Op5().start()
        self.addCleanup(sim.stop)
        agent = self.agent(destinations=[self.op5_destination(sim, backlog="all")])
        sim.faults.set(latency_ms=700)
        self.accept(agent, result(1), result(2))
        sim.wait(lambda: sim.requests)
        self.assertEqual(agent.stop(), 0)
        self.assertEqual(len(sim.journal), len(sim.requests))
        sim.faults.clear()
        agent.start()
        agent.wait_destination("central", lambda d: d["delivered"] == 2)
        self.assertEqual(sim.outputs("db1", "Backup"), ["n=1", "n=2"])

    def test_sigterm_is_bounded_by_the_drain_time(self):
        sim = Op5().start()
        self.addCleanup(sim.stop)
        sim.faults.set(stall_headers=-1)
        agent = self.agent(destinations=[self.op5_destination(sim, timeout="60s")], agent={"drain": "500ms"})
        self.accept(agent, result(1))
        sim.wait(lambda: sim.requests)
        begun = time.monotonic()
        self.assertEqual(agent.stop(), 0)
        self.assertLess(time.monotonic() - begun, 20)
        sim.faults.clear()
        agent.start()
        agent.wait_destination("central", lambda d: d["delivered"] == 1)

    def test_sigterm_gives_the_replies_that_are_owed(self):
        agent = self.agent()
        stream = wire.Stream(agent.socket)
        self.addCleanup(stream.close)
        stream.send(b"".join(json.dumps(result(n)).encode() + b"\n" for n in range(5000)))
        self.assertTrue(stream.reply()["ok"])
        agent.process.send_signal(signal.SIGTERM)
        told = 1
        try:
            while reply := stream.reply():
                told += reply["ok"]
        except ConnectionResetError:
            pass  # what was sent and not read any more; no reply is missing by that
        self.assertEqual(agent.process.wait(PATIENCE), 0)
        agent.start()
        self.wait_delivered(told)

    def test_idle_connections_do_not_delay_a_stop(self):
        agent = self.agent()
        for _ in range(5):
            stream = wire.Stream(agent.socket)
            self.addCleanup(stream.close)
            self.assertTrue(stream.ask(json.dumps(result(1)).encode() + b"\n")["ok"])
        begun = time.monotonic()
        self.assertEqual(agent.stop(), 0)
        self.assertLess(time.monotonic() - begun, 5)
