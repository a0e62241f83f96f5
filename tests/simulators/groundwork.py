"""GroundWork's REST API (7.x) for host and service status, as its documentation and its published server source describe it.

    python3 -m simulators.groundwork --port 8080 --user relay:secret --control-port 8081

What it keeps to: a login that gives a token for one application name, which slides, is lost with the process, and dies with all
others once too many live; batches judged item by item in a results document that comes with 200 whatever became of the items; one
bad item in a batch does not sink the others; older check times overwrite newer ones; CRITICAL and DOWN are rewritten.
"""

import dataclasses
import time

from . import command
from . import groundwork_wire as wire
from .faults import Answer
from .groundwork_hosts import HTML, HostPages
from .groundwork_login import Logins
from .groundwork_wire import Row, Stop
from .http_server import HttpSimulator

STATUSES = {"UP", "DOWN", "UNREACHABLE", "PENDING", "OK", "WARNING", "CRITICAL", "UNKNOWN", "SCHEDULED CRITICAL",
            "UNSCHEDULED CRITICAL", "SCHEDULED DOWN", "UNSCHEDULED DOWN", "MAINTENANCE", "SUSPENDED",
            "ACKNOWLEDGEMENT (WARNING)", "ACKNOWLEDGEMENT (CRITICAL)", "ACKNOWLEDGEMENT (DOWN)"}
ENCODINGS = ("base64", "plain", "base64_user")
NAME_LIMIT, SERVICE_LIMIT, HOST_LIMIT = 254, 16384, 32768  # characters


@dataclasses.dataclass(frozen=True)
class Applied:
    received: float
    host: str
    service: str  # empty: the host itself
    status: str   # as sent
    stored: str   # as the server keeps it
    output: str
    perfdata: str
    check_time: float | None  # epoch seconds
    app_type: str
    device: str
    app_name: str
    batch: int    # the number of its request
    raw: dict


class GroundWork(Logins, HostPages, HttpSimulator):
    """A knob is an attribute; each may be turned while the server runs."""

    def __init__(self, users=None, **listener):
        super().__init__(**listener)
        self.users = {"relay": "secret"} if users is None else users
        self.read_only = set()          # users who log in and may not write
        self.login_encoding = "base64"
        self.login_refusal = 401        # 401 by the documentation, 404 with text by the source
        self.login_accept = "text/plain"  # 7.0: application/xml, else 406
        self.token_padding = ""         # blanks around the token
        self.synchronising = False      # logins get 503
        self.idle_seconds = 28800
        self.max_tokens = 500
        self.app_types = {"NAGIOS", "VEMA", "CACTI", "RELAY", "SYSTEM"}
        self.device_required = True
        self.app_type_required = True   # False: hosts without one are NAGIOS's, as the source has it
        self.unknown_status = "failure"  # of an item; "500": the whole batch fails; "pending": taken as PENDING
        self.counters = "successful"    # or "success" (the older document), "none"
        self.order = "sent"             # or "reversed"
        self.extra_rows = False         # the Biz API's habit
        self.short_rows = 0             # so many rows are left out
        self.odd_entities = True        # failed items are not named after themselves
        self.dates = "offset"           # or "colon", "epoch"
        self.names_as_objects = False   # autocomplete by the source
        self.filter_path = "filter"     # or "filter/hostgroups"
        self.poison = ()                # a batch with one of these in an item's output fails as a whole
        self.poison_status = 500
        self.async_full = False
        self.hosts, self.services = {}, {}
        self.groups = {}                # name: [hosts]
        self.tokens = {}
        self.logins = self.logouts = 0
        self.twice = []                 # subjects that came twice in one batch
        self._ahead = 0.0  # of the real clock

    # The world around it.

    def now(self):
        return time.monotonic() + self._ahead

    def advance(self, seconds):
        with self._changed:
            self._ahead += seconds

    def expire_sessions(self):
        with self._changed:
            self.tokens.clear()

    def stop(self):
        super().stop()
        self.expire_sessions()

    def own(self, host, service="", app_type="VEMA"):
        """The object exists and belongs to another application."""
        with self._changed:
            store = self.services if service else self.hosts
            store[(host, service) if service else host] = {"appType": app_type, "monitorStatus": "OK" if service else "UP",
                                                           "hostName": host, "properties": {}}
            if service:
                self.hosts.setdefault(host, {"appType": app_type, "hostName": host, "monitorStatus": "PENDING",
                                             "properties": {}})

    def fail_html_200(self, n=1):
        self.faults.fail_next(n, 200, HTML, "text/html; charset=utf-8")

    # Requests.

    def decide(self, request):
        path = request.path.removeprefix("/foundation-webapp")
        try:
            if path.startswith("/api/auth/"):
                return self._auth(request, path.removeprefix("/api/auth/")), None
            token = self._authorise(request)
            if path in ("/api/hosts", "/api/services") and request.method == "POST":
                return self._submit(request, token, path == "/api/hosts")
            return self._other(request, path), None
        except Stop as stop:
            return stop.answer, None

    # Batches.

    def _submit(self, request, token, is_host):
        if request.query.get("async") == "true" and self.async_full:
            raise Stop(Answer(429, b"too many tasks", "text/plain"))
        items = self._items(request, is_host)
        self._note_twice(items, is_host)
        if any(bad in self._text(item) for item in items for bad in self.poison):
            raise Stop(Answer(self.poison_status, b'{"error":"transaction failed"}'))
        merge = request.query.get("merge", "true") != "false"
        rows, applied = [], []
        for item in items:
            row, done = self._upsert(request, token, item, is_host, merge)
            rows.append(row)
            applied += [done] if done else []
        if request.query.get("async") == "true":
            rows = [Row("success", str(request.number), f"Job {request.number} submitted")]
            return self._results(request, rows, ("Host" if is_host else "Service") + " Async", "Update"), applied
        return self._results(request, self._presented(rows), "Host" if is_host else "ServiceStatus", "Update"), applied

    def _items(self, request, is_host):
        kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
        try:
            items = wire.read_items(request.body, kind, is_host)
        except ValueError as error:
            raise Stop(Answer(400, str(error).encode(), "text/plain")) from None
        if kind not in ("application/json", "application/xml"):
            raise Stop(Answer(415, b"", "text/plain"))
        return items

    @staticmethod
    def _text(item):
        return item["properties"].get("LastPluginOutput", "")

    def _note_twice(self, items, is_host):
        seen = set()
        for item in items:
            key = (item.get("hostName", "").lower(), "" if is_host else item.get("description", ""))
            if key in seen:
                self.twice.append(key)
            seen.add(key)

    def _upsert(self, request, token, item, is_host, merge):
        host, service = item.get("hostName", ""), "" if is_host else item.get("description", "")
        entity = host if is_host else f"{host}:{service}"
        if not host or (not is_host and not service):
            return Row("failure", "(Unknown)", "Host name and Service description are required"), None
        why = self._fault(item, is_host)
        if why:
            return Row("failure", "(Unknown)" if self.odd_entities else entity, why), None
        same = next((name for name in self.hosts if name.lower() == host.lower() and name != host), None)
        if same and not merge:
            return Row("warning", entity, "host not merged" if is_host else "service host not merged"), None
        host = same or host
        store, key = (self.hosts, host) if is_host else (self.services, (host, service))
        old = store.get(key)
        why = self._missing(item, old, is_host, host)
        if why:
            return Row("failure", "unknown host" if self.odd_entities else entity, why), None
        if old and item.get("appType") and old["appType"] != item["appType"]:
            if not is_host:
                return Row("warning", entity, f"not owner: {old['appType']}"), None
            old["properties"]["LastPluginOutput"] = self._text(item)
            return Row("success", entity, location=wire.location(self.url, host, service)), None
        done = self._stored(request, token, item, host, service)
        store[key] = {**(old or {}), **item, "appType": item.get("appType") or (old or {}).get("appType", "NAGIOS"),
                      "monitorStatus": done.stored,
                      "properties": {**(old or {}).get("properties", {}), **item["properties"],
                                     "LastPluginOutput": done.output}}
        self.hosts.setdefault(host, {"hostName": host, "appType": done.app_type, "monitorStatus": "PENDING",
                                     "deviceIdentification": done.device, "properties": {}})
        return Row("success", entity, location=wire.location(self.url, host, service)), done

    def _fault(self, item, is_host):
        status = item.get("monitorStatus", "PENDING")
        if status not in STATUSES:
            if self.unknown_status == "500":
                raise Stop(Answer(500, b'{"error":"null value in column MonitorStatusID"}'))
            if self.unknown_status == "failure":
                return f"Monitor Status {status!r} is null"
            item["monitorStatus"] = "PENDING"
        if item.get("appType") and item["appType"] not in self.app_types:
            return f"Application Type {item['appType']} not found"
        limit = HOST_LIMIT if is_host else SERVICE_LIMIT
        if any(len(value) > limit for value in item["properties"].values()):
            return "value too long for type character varying"
        if any(len(item.get(name, "")) > NAME_LIMIT for name in ("hostName", "description", "deviceIdentification")):
            return "value too long for type character varying(254)"
        try:
            wire.read_date(item.get("lastCheckTime"))
        except ValueError:
            return "unparseable date"
        return ""

    def _missing(self, item, old, is_host, host):
        if old:
            return ""
        if not item.get("appType") and (self.app_type_required or not is_host):
            return "Required field Application Type was not provided"
        if (is_host or host not in self.hosts) and self.device_required and not item.get("deviceIdentification"):
            return "Device Identification is required" if is_host else "unknown host"
        return ""

    def _stored(self, request, token, item, host, service):
        status, output = item.get("monitorStatus", "PENDING"), self._text(item)
        down_time = item["properties"].get("ScheduledDowntimeDepth", "0") not in ("", "0")
        stored = status
        if status in ("CRITICAL", "DOWN"):
            stored = ("SCHEDULED " if down_time else "UNSCHEDULED ") + status
            output = output.replace(status, stored)
        check_time = wire.read_date(item.get("lastCheckTime"))
        if check_time is not None and service:
            check_time = float(int(check_time))
        return Applied(request.received, host, service, status, stored, output,
                       item["properties"].get("PerformanceData", ""), check_time, item.get("appType", "NAGIOS"),
                       item.get("deviceIdentification", ""), token.app_name, request.number, item)

    def _presented(self, rows):
        if self.order == "reversed":
            rows = rows[::-1]
        if self.short_rows:
            rows = rows[self.short_rows:]
        if self.extra_rows:
            rows = [Row("success", "a-host-nobody-sent"), *rows]
        return rows

    def _results(self, request, rows, entity_type, operation):
        accept = request.headers.get("accept", "")
        xml = accept.startswith("application/xml")
        text = wire.write_results(rows, entity_type, operation, self.counters, xml)
        return Answer(200, text.encode(), "application/xml" if xml else "application/json")

    # For assertions.

    def outputs(self, host, service=""):
        """What was applied to a subject, in the order of arrival."""
        return [item.output for item in list(self.journal) if (item.host, item.service) == (host, service)]

    def state(self, host, service=""):
        """The subject's newest applied result, or None."""
        return next((i for i in reversed(list(self.journal)) if (i.host, i.service) == (host, service)), None)

    def batches(self, path="/api/services"):
        """The requests that brought items, oldest first."""
        return [r for r in list(self.requests) if r.method == "POST" and r.path.endswith(path)]


def main():
    options = command.parser("groundwork", __doc__, "relay:secret")
    options.add_argument("--login-encoding", default="base64", choices=ENCODINGS)
    options.add_argument("--counters", default="successful", choices=("successful", "success", "none"))
    args = options.parse_args()
    simulator = GroundWork(command.users(args), **command.listener(args))
    simulator.login_encoding, simulator.counters = args.login_encoding, args.counters
    command.serve(simulator, args)


if __name__ == "__main__":
    main()
