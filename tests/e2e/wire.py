"""What producers put on the wire, written from the documented formats and not from our client."""

import json
import os
import socket
import struct
import threading

JSON, NAGIOS, MSGPACK, NSCA = "json", "nagios", "msgpack", "nsca"
FORMATS = (JSON, NAGIOS, MSGPACK, NSCA)


def encode(form, host, service, state, output, time=None, **more):
    """One result in one of the four formats; what a format cannot say is left out."""
    if form == JSON:
        return json.dumps(_map(host, service, state, output, time, more)).encode() + b"\n"
    if form == MSGPACK:
        return msgpack(_map(host, service, state, output, time, more))
    if form == NAGIOS:
        name = f"SERVICE_CHECK_RESULT;{host};{service}" if service else f"HOST_CHECK_RESULT;{host}"
        return f"[{int(time or 1700000000)}] PROCESS_{name};{state};{output}\n".encode()
    fields = [host, service, str(state), output] if service else [host, str(state), output]
    return "\t".join(fields).encode() + b"\n"


def _map(host, service, state, output, time, more):
    result = {"host": host, "state": state, "output": output, **more}
    if service:
        result["service"] = service
    if time is not None:
        result["time"] = time
    return result


def msgpack(value):
    if value is None or isinstance(value, bool):
        return {None: b"\xc0", False: b"\xc2", True: b"\xc3"}[value]
    if isinstance(value, int):
        if 0 <= value < 128:
            return bytes([value])
        return b"\xd3" + struct.pack(">q", value)
    if isinstance(value, float):
        return b"\xcb" + struct.pack(">d", value)
    if isinstance(value, str):
        data = value.encode()
        return (bytes([0xA0 | len(data)]) if len(data) < 32 else b"\xda" + struct.pack(">H", len(data))) + data
    if isinstance(value, dict):
        head = bytes([0x80 | len(value)]) if len(value) < 16 else b"\xde" + struct.pack(">H", len(value))
        return head + b"".join(msgpack(k) + msgpack(v) for k, v in value.items())
    raise TypeError(type(value))


class Stream:
    """A client of a unix (path) or tcp ((host, port)) intake."""

    def __init__(self, address, timeout=60):
        if isinstance(address, str):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(timeout)
            try:
                self.socket.connect(address)
            except OSError:
                self.socket.close()
                raise
        else:
            self.socket = socket.create_connection(address, timeout)
        self.reader = self.socket.makefile("rb")

    def send(self, data):
        self.socket.sendall(data)
        return self

    def send_all(self, data):
        """Sends and ends; a peer that closed first has said why."""
        try:
            self.socket.sendall(data)
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def reply(self):
        """The next reply line, or None where the agent has closed."""
        line = self.reader.readline()
        return json.loads(line) if line.endswith(b"\n") else None

    def ask(self, data):
        self.send(data)
        return self.reply()

    def finish(self):
        """No more from us; every reply that is still owed."""
        self.socket.shutdown(socket.SHUT_WR)
        return [json.loads(line) for line in self.reader]

    def close(self):
        self.reader.close()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def talk(address, data):
    """Sends, ends, and returns every reply."""
    with Stream(address) as stream:
        sender = threading.Thread(target=stream.send_all, args=(data,))
        sender.start()  # replies are read meanwhile, or both ends would wait for each other
        replies = [json.loads(line) for line in stream.reader]
        sender.join()
        return replies


def datagram(path, data):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.settimeout(30)
        sock.connect(path)
        sock.send(data)


def fifo(path, data):
    with open(path, "wb", buffering=0) as pipe:
        pipe.write(data)


def spool(directory, name, data, ok=False):
    """Makes a file visible as a well-behaved program does: written aside, then renamed."""
    aside, final = os.path.join(directory, f".{name}"), os.path.join(directory, name)
    with open(aside, "wb") as file:
        file.write(data)
    os.rename(aside, final)
    if ok:
        open(final + ".ok", "wb").close()
    return final
