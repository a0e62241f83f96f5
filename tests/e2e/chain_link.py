"""The line between two agents, and what can happen to it. ProxyLink cuts bytes where it likes and needs no privilege;
NamespaceLink is a real interface between two network namespaces, where packets are lost and nobody is told."""

import asyncio
import os
import random
import shutil
import socket
import struct
import subprocess
import threading

from .harness import PATIENCE, free_port, wait_until


def cut(writer):
    """Ends a connection with a reset."""
    raw = writer.transport.get_extra_info("socket")
    if raw is not None and raw.fileno() >= 0:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


class ProxyLink(threading.Thread):
    """Passes bytes on. A fault is armed so many times, and each time spent by the next bytes that it concerns."""

    REQUEST, ANSWER = ("reset_request", "half_request", "hole", "slow"), ("lost_answer", "half_answer", "reset_answer")

    def __init__(self, seed):
        super().__init__(daemon=True)
        self.random = random.Random(seed)
        self.hub_port, self.port = free_port(), free_port()
        self.url, self.listen = f"http://127.0.0.1:{self.port}", f"127.0.0.1:{self.hub_port}"
        self.edge_wrapper = self.hub_wrapper = []
        self.armed = {}
        self.under_way = 0  # faults that are happening
        self.events = {}  # fault -> what else happens when it is spent
        self.writers = set()
        self.loop = asyncio.new_event_loop()
        self.server = None
        self.start()
        self.heal()

    def run(self):
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    def close(self):
        self.loss()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.join(PATIENCE)

    def call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(PATIENCE)

    def arm(self, fault, times=1, event=None):
        self.events[fault] = event
        self.armed[fault] = times

    def spent(self):
        return self.under_way == 0 and not any(self.armed.values())

    def loss(self):
        """Nobody answers at the hub's address, and what is under way is reset."""
        self.call(self._loss())

    async def _loss(self):
        if self.server:
            self.server.close()
        self.server = None
        for writer in list(self.writers):
            cut(writer)

    def heal(self):
        self.call(self._heal())

    async def _heal(self):
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def _serve(self, edge_in, edge_out):
        self.writers.add(edge_out)
        hub_out = None
        try:
            hub_in, hub_out = await asyncio.open_connection("127.0.0.1", self.hub_port)
            self.writers.add(hub_out)
            ways = [asyncio.ensure_future(self._pass(self.REQUEST, edge_in, hub_out)),
                    asyncio.ensure_future(self._pass(self.ANSWER, hub_in, edge_out))]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
        except OSError:
            pass
        finally:
            for writer in (edge_out, hub_out):
                if writer is not None:
                    self.writers.discard(writer)
                    cut(writer)

    async def _pass(self, faults, reader, writer):
        try:
            while data := await reader.read(1 << 16):
                fault = next((f for f in faults if self.armed.get(f)), None)
                if fault:
                    self.armed[fault] -= 1
                    self.under_way += 1
                    try:
                        goes_on = await self._harm(fault, data, writer, reader)
                    finally:
                        self.under_way -= 1
                    if not goes_on:
                        return
                else:
                    writer.write(data)
                    await writer.drain()
        except OSError:
            pass

    async def _harm(self, fault, data, writer, reader):
        """True where the connection goes on."""
        goes_on = fault == "slow"
        if goes_on:
            for i in range(0, len(data), 97):
                writer.write(data[i:i + 97])
                await asyncio.sleep(0.0005)
        elif fault == "hole":
            while await reader.read(1 << 16):
                pass
        elif fault.startswith("half"):
            writer.write(data[:self.random.randrange(1, len(data))])
            await writer.drain()
        elif fault == "reset_answer":  # at its very end
            writer.write(data[:-1])
            await writer.drain()
        if self.events.get(fault):
            self.events[fault]()
        return goes_on


def why_no_namespaces():
    """Why this machine does not allow network namespaces; empty where it does."""
    for program in ("ip", "nsenter", "ss"):
        if not shutil.which(program):
            return f"there is no program {program!r}"
    name = f"cr{os.getpid()}-probe"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True)
    if made.returncode:
        return f"network namespaces are not allowed: {made.stderr.strip()}"
    veth = subprocess.run(["ip", "-n", name, "link", "add", "v0", "type", "veth", "peer", "name", "v1"],
                          capture_output=True, text=True)
    subprocess.run(["ip", "netns", "del", name], capture_output=True)
    return f"no veth interfaces: {veth.stderr.strip()}" if veth.returncode else ""


class NamespaceLink:
    """A pair of interfaces, one in the edge's namespace and one in the hub's."""

    EDGE, HUB, PORT = "10.77.0.1", "10.77.0.2", 8440

    def __init__(self):
        self.edge, self.hub = f"cr{os.getpid()}-edge", f"cr{os.getpid()}-hub"
        self.url, self.listen = f"http://{self.HUB}:{self.PORT}", f"{self.HUB}:{self.PORT}"
        self.edge_wrapper = ["nsenter", f"--net=/run/netns/{self.edge}"]
        self.hub_wrapper = ["nsenter", f"--net=/run/netns/{self.hub}"]
        self.close()  # what a killed test with this number left
        for name in (self.edge, self.hub):
            self.ip("netns", "add", name)
        self.ip("-n", self.edge, "link", "add", "up0", "type", "veth", "peer", "name", "down0", "netns", self.hub)
        self.ip("-n", self.edge, "addr", "add", f"{self.EDGE}/30", "dev", "up0")
        self.ip("-n", self.hub, "addr", "add", f"{self.HUB}/30", "dev", "down0")
        self.ip("-n", self.edge, "link", "set", "up0", "up")
        self.ip("-n", self.hub, "link", "set", "down0", "up")

    def ip(self, *args):
        subprocess.run(["ip", *args], check=True, capture_output=True, timeout=PATIENCE)

    def close(self):
        for name in (self.edge, self.hub):
            subprocess.run(["ip", "netns", "del", name], capture_output=True)

    def loss(self):
        """From now on every packet is lost."""
        self.ip("-n", self.hub, "link", "set", "down0", "down")

    def heal(self):
        self.ip("-n", self.hub, "link", "set", "down0", "up")

    def no_route(self):
        """From now on the edge's kernel says at once that the hub cannot be reached."""
        self.ip("-n", self.edge, "route", "add", "unreachable", f"{self.HUB}/32")

    def route(self):
        self.ip("-n", self.edge, "route", "del", "unreachable", f"{self.HUB}/32")

    def narrow(self):
        """100 kbit/s; what does not fit waits."""
        subprocess.run(["tc", "-n", self.edge, "qdisc", "add", "dev", "up0", "root", "tbf", "rate", "100kbit", "burst",
                        "4kb", "latency", "2s"], check=True, capture_output=True)

    def widen(self):
        subprocess.run(["tc", "-n", self.edge, "qdisc", "del", "dev", "up0", "root"], check=True, capture_output=True)

    def reset(self):
        """Some connection is reset in the middle of its life, as by a firewall that has forgotten it."""
        kill = [*self.edge_wrapper, "ss", "-K", "-H", "-t", "dst", self.HUB]
        wait_until(lambda: "ESTAB" in subprocess.run(kill, capture_output=True, text=True).stdout, "a connection to reset")
