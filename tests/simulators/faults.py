"""The ways in which a simulated upstream can misbehave. Every knob may be turned while the server runs.

Counted knobs hold how many of the next requests they hit; -1 means every one from now on.
"""

import dataclasses
import threading

COUNTED = (
    "drop_before_apply",  # the request is read, then the connection is closed; nothing is applied
    "drop_after_apply",   # applied, then closed without an answer
    "truncate_body",      # applied; half of the announced answer is sent, then closed
    "stall_headers",      # the request is read and nothing ever comes back
    "slow_body",          # applied; the answer's body drips, `drip_seconds` a byte
    "stale_keepalive",    # a second request on a connection finds it closed
    "hang_up",            # a connection is closed as soon as it is there
    "endless_body",       # applied; the answer's body never ends
    "endless_headers",    # applied; the answer's headers never end
)
SETTINGS = {
    "latency_ms": 0,            # before each answer
    "drip_seconds": 0.05,
    "max_inflight": 0,          # more at once are turned away; 0 = no limit
    "rate_limit": 0,            # more within `rate_window` seconds are turned away; 0 = no limit
    "rate_window": 1.0,
    "connection_close": False,  # every answer says `Connection: close`
    "chunked": False,           # answers are sent in chunks
    "gzip": "",                 # "offered": compressed where the client offers it; "always"
    "content_type": "",         # of every answer, whatever is in it
    "aim": "",                  # only requests that begin so, "POST /rest/detail", meet the faults that need one
}


@dataclasses.dataclass(frozen=True)
class Answer:
    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: tuple = ()


class Faults:
    def __init__(self):
        self._lock = threading.Lock()
        self._counts = dict.fromkeys(COUNTED, 0)
        self._answers = []
        for name, value in SETTINGS.items():
            setattr(self, name, value)

    def hits(self, request):
        return f"{request.method} {request.path}".startswith(self.aim)

    def set(self, **knobs):
        for name, value in knobs.items():
            if name in COUNTED:
                with self._lock:
                    self._counts[name] = int(value)
            elif name in SETTINGS:
                setattr(self, name, type(SETTINGS[name])(value))
            else:
                raise KeyError(f"no such fault: {name}")

    def take(self, name):
        """True where the next request is to be hit by `name`; counts it."""
        with self._lock:
            left = self._counts[name]
            if left > 0:
                self._counts[name] = left - 1
            return left != 0

    def fail_next(self, n, status, body=b"", content_type="application/json", headers=()):
        """The next n requests (-1: all) are answered so, and nothing is applied."""
        data = body.encode() if isinstance(body, str) else body
        with self._lock:
            self._answers.append([n, Answer(status, data, content_type, tuple(headers))])

    def take_answer(self):
        with self._lock:
            if not self._answers:
                return None
            entry = self._answers[0]
            if entry[0] > 0:
                entry[0] -= 1
                if entry[0] == 0:
                    self._answers.pop(0)
            return entry[1]

    def clear(self):
        with self._lock:
            self._counts = dict.fromkeys(COUNTED, 0)
            self._answers.clear()
        self.set(**SETTINGS)
