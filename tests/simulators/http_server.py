"""A small HTTP/1.1 server that can be told to misbehave: the ground under every simulated upstream.

A thread a connection. A simulator derives from it and says in `decide` what a request deserves and what it would apply;
the server then decides, by its faults, what of that really happens.
"""

import collections
import dataclasses
import email.utils
import gzip
import http
import socket
import ssl
import threading
import time
import urllib.parse

from .faults import Answer, Faults

MAX_BODY = 16 << 20


@dataclasses.dataclass
class Request:
    number: int
    connection: int
    method: str
    target: str
    headers: dict  # names in lower case
    body: bytes
    received: float
    peer: str = ""  # address
    status: int | None = None  # what was answered; None where nothing was

    @property
    def path(self):
        return urllib.parse.urlsplit(self.target).path

    @property
    def query(self):
        return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.target).query))


class BadRequest(Exception):
    pass


class HttpSimulator:
    """Journal and requests may be read from any thread; `wait` waits for a condition over them."""

    def __init__(self, host="127.0.0.1", port=0, cert=None, key=None, client_ca=None):
        self.host, self.port = host, port
        self.faults = Faults()
        self.journal = []       # every applied item
        self.requests = []      # every request that was read whole
        self.connections = 0    # accepted so far
        self.handshake_errors = []
        self.peak_inflight = 0
        self.clock_s = 0        # its clock minus the true one; None: answers carry no Date
        self._tls = _tls_context(cert, key, client_ca) if cert else None
        self._changed = threading.Condition()
        self._inflight = 0
        self._held = False
        self._unharmed = Faults()
        self._recent = collections.deque()
        self._listener = None
        self._open = set()

    # What a simulator says: (Answer, what it applies: an item, a list of items, or None).
    def decide(self, request):
        raise NotImplementedError

    # What the server is overrun with is told in the system's own way.
    def overrun(self):
        return Answer(503, b"")

    @property
    def url(self):
        return f"{'https' if self._tls else 'http'}://{self.host}:{self.port}"

    def use_certificate(self, cert, key):
        """For connections from now on."""
        self._tls = _tls_context(cert, key, None)

    def start(self):
        listener = socket.create_server((self.host, self.port), backlog=128)
        self.port = listener.getsockname()[1]
        with self._changed:
            self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return self

    def stop(self):
        """Closes the door and every connection, as a server that goes down does. start() opens the same port again."""
        with self._changed:
            listener, self._listener = self._listener, None
            victims = list(self._open)
            self._changed.notify_all()
        if listener:
            _hang_up(listener)
        for victim in victims:
            _hang_up(victim)

    def restart(self):
        self.stop()
        self.start()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def hold(self):
        """What is asked from now on is read, and neither applied nor answered before release() or stop()."""
        self._set_held(True)

    def release(self):
        self._set_held(False)

    def _set_held(self, held):
        with self._changed:
            self._held = held
            self._changed.notify_all()

    def wait(self, condition, timeout=30):
        """True once condition() holds; False after `timeout` seconds."""
        with self._changed:
            return bool(self._changed.wait_for(condition, timeout))

    def _accept(self, listener):
        while True:
            try:
                conn, address = listener.accept()
            except OSError:
                return
            with self._changed:
                if self._listener is not listener:
                    conn.close()
                    return
                self.connections += 1
                number = self.connections
                self._open.add(conn)
                self._changed.notify_all()
            threading.Thread(target=self._converse, args=(conn, number, address[0]), daemon=True).start()

    def _converse(self, raw, number, peer):
        conn = raw
        try:
            if self.faults.take("hang_up"):
                return
            if self._tls:
                conn = self._tls.wrap_socket(raw, server_side=True)
                with self._changed:
                    self._open.discard(raw)
                    self._open.add(conn)
            conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with conn.makefile("rb") as reader:
                self._serve(conn, reader, number, peer)
        except ssl.SSLError as error:
            self.handshake_errors.append(str(error))
        except (OSError, ValueError, BadRequest):
            pass
        finally:
            with self._changed:
                self._open.discard(raw)
                self._open.discard(conn)
            _hang_up(conn)

    def _serve(self, conn, reader, number, peer):
        served = 0
        while True:
            line = reader.readline(65536)
            if not line or (served and self.faults.take("stale_keepalive")):
                return
            request = self._read(reader, conn, line, number)
            request.peer = peer
            crowd = self._enter(request)
            try:
                keep = self._answer(conn, reader, request, crowd)
            finally:
                self._leave()
            served += 1
            if not keep or request.headers.get("connection", "").lower() == "close":
                return

    def _read(self, reader, conn, line, number):
        parts = line.decode("latin-1").split()
        if len(parts) != 3:
            raise BadRequest
        headers = {}
        while (header := reader.readline(65536).decode("latin-1").rstrip("\r\n")):
            name, _, value = header.partition(":")
            headers[name.strip().lower()] = value.strip()
        if headers.get("expect", "").lower() == "100-continue":
            conn.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        return Request(0, number, parts[0], parts[1], headers, _read_body(reader, headers), time.time())

    def _enter(self, request):
        with self._changed:
            request.number = len(self.requests) + 1
            self.requests.append(request)
            self._inflight += 1
            self.peak_inflight = max(self.peak_inflight, self._inflight)
            now = time.monotonic()
            self._recent.append(now)
            while self._recent[0] < now - self.faults.rate_window:
                self._recent.popleft()
            self._changed.notify_all()
            return self._inflight, len(self._recent)

    def _leave(self):
        with self._changed:
            self._inflight -= 1
            self._changed.notify_all()

    def _answer(self, conn, reader, request, crowd):
        faults = self.faults if self.faults.hits(request) else self._unharmed
        if faults.latency_ms:
            self._pause(faults.latency_ms / 1000)
        self._wait_while_held()
        if faults.take("stall_headers"):
            reader.read(1)  # until the peer gives up
            return False
        if faults.take("drop_before_apply"):
            return False
        answer, item = faults.take_answer(), None
        if answer is None:
            inflight, rate = crowd
            crowded = 0 < faults.max_inflight < inflight or 0 < faults.rate_limit < rate
            answer, item = (self.overrun(), None) if crowded else self._judge(request)
        else:
            self._note(request, answer)
        if item and faults.take("drop_after_apply"):
            return False
        if faults.take("endless_headers"):
            return self._pour(conn, b"HTTP/1.1 200 OK\r\n", b"X-Filler: " + b"x" * 1000 + b"\r\n")
        return self._send(conn, request, answer, faults)

    def _judge(self, request):
        with self._changed:
            answer, item = self.decide(request)
            request.status = answer.status
            if item is not None:
                self.journal.extend(item if isinstance(item, list) else [item])
            self._changed.notify_all()
        return answer, item

    def _note(self, request, answer):
        with self._changed:
            request.status = answer.status
            self._changed.notify_all()

    def _send(self, conn, request, answer, faults):
        body = answer.body
        fields = [("Content-Type", faults.content_type or answer.content_type), *answer.headers]
        if self.clock_s is not None:
            fields.append(("Date", email.utils.formatdate(time.time() + self.clock_s, usegmt=True)))
        offered = "gzip" in request.headers.get("accept-encoding", "")
        if faults.gzip == "always" or (faults.gzip == "offered" and offered):
            body = gzip.compress(body)
            fields.append(("Content-Encoding", "gzip"))
        chunked = faults.chunked
        fields.append(("Transfer-Encoding", "chunked") if chunked else ("Content-Length", str(len(body))))
        keep = not faults.connection_close
        if not keep:
            fields.append(("Connection", "close"))
        head = f"HTTP/1.1 {answer.status} {_reason(answer.status)}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in fields) + "\r\n"
        if request.method == "HEAD":
            body = b""
        wire = _chunks(body) if chunked else body
        if faults.take("endless_body"):
            return self._pour(conn, head.replace("Content-Length", "X-Length").encode("latin-1"), b"x" * 65536)
        if faults.take("truncate_body"):
            conn.sendall(head.encode("latin-1") + wire[: len(wire) // 2])
            return False
        if faults.take("slow_body"):
            conn.sendall(head.encode("latin-1"))
            for i in range(len(wire)):
                self._pause(faults.drip_seconds)
                conn.sendall(wire[i:i + 1])
            return keep
        conn.sendall(head.encode("latin-1") + wire)
        return keep

    @staticmethod
    def _pour(conn, head, part):
        """Sends without end; the peer's hanging up ends it, as an error."""
        conn.sendall(head)
        while True:
            conn.sendall(part)

    def _wait_while_held(self):
        with self._changed:
            listener = self._listener
            self._changed.wait_for(lambda: not self._held or self._listener is not listener)

    def _pause(self, seconds):
        """Sleeps, but not past stop()."""
        with self._changed:
            listener = self._listener
            self._changed.wait_for(lambda: self._listener is not listener, seconds)


def _tls_context(cert, key, client_ca):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    if client_ca:
        context.load_verify_locations(client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _read_body(reader, headers):
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = b""
        while size := int(reader.readline(1024).split(b";")[0], 16):
            body += reader.read(size)
            reader.readline(1024)
        while reader.readline(65536).strip():
            pass
        return body
    length = int(headers.get("content-length", "0"))
    if not 0 <= length <= MAX_BODY:
        raise BadRequest
    body = reader.read(length)
    if len(body) < length:
        raise BadRequest  # the peer left in the middle of its request
    return body


def _chunks(body, size=7):
    parts = [body[i:i + size] for i in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in parts) + b"0\r\n\r\n"


def _reason(status):
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return "Bandwidth Limit Exceeded" if status == 509 else "Unknown"


def _hang_up(sock):
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    sock.close()
