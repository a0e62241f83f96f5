"""The control endpoint of a simulator that runs as a program: what a test in the same process does by calling, by HTTP.

    GET  /journal            what was applied, oldest first
    GET  /requests           what was asked
    POST /faults             {"latency_ms": 250, "drop_after_apply": 2}
    POST /fail_next          {"n": 3, "status": 503, "body": "", "headers": [["Retry-After", "7"]]}
    POST /clear              no more faults
    POST /know               {"host": "db1", "service": "Backup"}
    POST /set                {"unknown_status": 404}: a knob of this simulator's own
    POST /stop /start /restart /expire_sessions
"""

import dataclasses
import http.server
import json
import threading


def serve_control(simulator, port=0):
    """Serves on the loopback address until the process ends."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            lists = {"/journal": simulator.journal, "/requests": simulator.requests}
            if self.path not in lists:
                return self._reply(404, {"error": "no such list"})
            return self._reply(200, [_plain(item) for item in list(lists[self.path])])

        def do_POST(self):
            try:
                body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
                _perform(simulator, self.path, body)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                return self._reply(400, {"error": str(error)})
            return self._reply(200, {"ok": True})

        def _reply(self, status, value):
            data = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def _perform(simulator, path, body):
    if path == "/faults":
        simulator.faults.set(**body)
    elif path == "/fail_next":
        simulator.faults.fail_next(**body)
    elif path == "/clear":
        simulator.faults.clear()
    elif path == "/know":
        simulator.know(**body)
    elif path == "/set":
        _turn(simulator, body)
    elif path in ("/stop", "/start", "/restart", "/expire_sessions"):
        getattr(simulator, path[1:])()
    else:
        raise KeyError(f"no such control: {path}")


def _turn(simulator, knobs):
    plain = (bool, int, float, str)
    for name, value in knobs.items():
        if name.startswith("_") or not isinstance(getattr(simulator, name, None), plain):
            raise KeyError(f"no such knob: {name}")
    for name, value in knobs.items():
        setattr(simulator, name, type(getattr(simulator, name))(value))


def _plain(item):
    fields = dataclasses.asdict(item)
    return {name: value.decode("utf-8", "replace") if isinstance(value, bytes) else value for name,
            value in fields.items()}
