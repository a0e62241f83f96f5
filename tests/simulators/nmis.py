"""NMIS/Opmantek's admin API for planned outages, v3, as its draft documentation and the open-source core describe it.

    python3 -m simulators.nmis --port 8042 --user relay:mysecret --zone Australia/Brisbane

What it keeps to: a login that sets a session cookie; `nodes` sent as an array and read as an object, `elements` sent and
`element` read; updates that are absolute; recurring times read back as the texts that were sent, `once` as numbers; local
times in the server's own zone; v2 without the outages that have elements; both styles of path.
"""

import copy
import dataclasses
import json
import re
import secrets
import time
import urllib.parse
import uuid
import zoneinfo

from . import command, nmis_time
from .faults import Answer
from .http_server import HttpSimulator

LOGIN = re.compile(r"(?:/en)?/omk/admin/login(?:\.json)?$")
ROUTE = re.compile(r"(?:/en/omk/admin/api|(?:/en)?/omk/admin)/(v2|v3)/outages(?:/([^/]+?))?(?:\.json)?/?$")
PAGE = b"<!DOCTYPE html><html><body><form action='/en/omk/admin/login'>Please log in</form></body></html>"
FIELDS = ("change_id", "description", "frequency", "start", "end", "nodes", "elements", "options")


@dataclasses.dataclass(frozen=True)
class Applied:
    number: int
    received: float
    operation: str  # create update delete
    id: str
    user: str
    raw: bytes


class Refused(Exception):
    def __init__(self, status, text):
        super().__init__(text)
        self.answer = json_answer(status, {"error": text})


class Nmis(HttpSimulator):
    """users: {name: password}; blind: users that are told 404 for whatever they may not see."""

    def __init__(self, users=None, zone="UTC", clock=time.time, core_quirks=False, **listener):
        super().__init__(**listener)
        self.users = {"relay": "mysecret"} if users is None else users
        self.blind = set()
        self.zone = zoneinfo.ZoneInfo(zone)
        self.clock = clock
        self.core_quirks = core_quirks
        self.put_status = 201             # the documents say 201 in a table and 200 in prose
        self.unknown_delete_status = 400  # newer pages: 404
        self.failed_login = "401"         # "403", or "page": 200 with the login page again
        self.refusal = "401"              # without a session; "page": 200 with the login page, "redirect": 302 to it
        self.cookie_name = "mojolicious"
        self.login_form = "any"           # "form" or "json": the other one is not understood
        self.current_of_future = ""       # what `current` says of an outage to come; empty: null
        self.frequency_required = False   # as the core has it
        self.times_as_strings = False     # `start` and `end` of `once` are read back as texts of digits
        self.csrf_header = ""             # changes without this header are refused
        self.session_seconds = 0          # how long an unused session lives; 0 = for ever
        self.outages = {}                 # id -> as kept
        self.sessions = {}                # cookie -> [user, last used]
        self.logins = 0

    # Faults that are this system's own.

    def expire_sessions(self):
        with self._changed:
            self.sessions.clear()

    def restart(self):
        self.expire_sessions()
        super().restart()

    def fail_html_200(self, n=1):
        self.faults.fail_next(n, 200, PAGE, "text/html; charset=utf-8")

    def fail_redirect(self, n=1, location="/en/omk/admin/login", status=302):
        self.faults.fail_next(n, status, PAGE, "text/html", (("Location", location),))

    # What a test puts there and asks for.

    def add(self, **fields):
        """Makes an outage without a request; returns its id."""
        with self._changed:
            number = str(uuid.uuid4())
            self.outages[number] = {**self._checked(fields), "id": number}
            return number

    def put_raw(self, number, **fields):
        """Puts an outage there as it is, checked by nobody."""
        with self._changed:
            self.outages[number] = {"id": number, "change_id": "", "description": "", "frequency": "once",
                                    "nodes": [], "elements": [], "options": {}, **fields}

    def remove(self, number):
        with self._changed:
            self.outages.pop(number)

    def in_outage(self, node, at, element=None):
        """The ids of the outages that are current for a node, or an element of it, at the second `at`."""
        return [number for number, o in self.outages.items()
                if matches(o, node, element, self.core_quirks)
                and nmis_time.state(o, int(at), self.zone, self.core_quirks)[0] == "current"]

    # The protocol.

    def decide(self, request):
        try:
            if LOGIN.match(request.path):
                return self._login(request), None
            route = ROUTE.match(request.path)
            if not route:
                return Answer(404, PAGE, "text/html"), None
            user = self._session(request)
            if user is None:
                return self._no_session(request), None
            return self._operate(request, user, route[1], route[2])
        except Refused as refused:
            return refused.answer, None

    def _login(self, request):
        if request.method != "POST":
            return Answer(200, PAGE, "text/html")
        self.logins += 1
        name, password = self._credentials(request)
        if not name or self.users.get(name) != password:
            if self.failed_login == "page":
                return Answer(200, PAGE, "text/html")
            return json_answer(int(self.failed_login), {"error": "Invalid username or password"})
        cookie = secrets.token_hex(20)
        self.sessions[cookie] = [name, self.clock()]
        headers = (("Set-Cookie", "omk_lang=en; path=/"),
                   ("Set-Cookie", f"{self.cookie_name}={cookie}--sig; path=/; HttpOnly"))
        return Answer(200, json.dumps({"status": "OK"}).encode(), headers=headers)

    def _credentials(self, request):
        kind = request.headers.get("content-type", "").split(";")[0].strip()
        if kind == "application/json" and self.login_form != "form":
            try:
                given = json.loads(request.body)
                return given.get("username"), given.get("password")
            except (ValueError, AttributeError):
                return None, None
        if kind == "application/x-www-form-urlencoded" and self.login_form != "json":
            given = dict(urllib.parse.parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
            return given.get("username"), given.get("password")
        return None, None

    def _session(self, request):
        jar = dict(pair.strip().partition("=")[::2] for pair in request.headers.get("cookie", "").split(";"))
        value, sign, _ = jar.get(self.cookie_name, "").partition("--")
        session = self.sessions.get(value) if sign and jar.get("omk_lang") else None  # the whole jar is wanted
        if session is None:
            return None
        if self.session_seconds and self.clock() - session[1] > self.session_seconds:
            del self.sessions[value]
            return None
        session[1] = self.clock()
        return session[0]

    def _no_session(self, request):
        if self.refusal == "page":
            return Answer(200, PAGE, "text/html; charset=utf-8")
        if self.refusal == "redirect":
            return Answer(302, PAGE, "text/html", (("Location", "/en/omk/admin/login"),))
        return json_answer(401, {"error": "You are not authenticated."})

    def _operate(self, request, user, version, number):
        if user in self.blind:
            raise Refused(404 if number or request.method != "GET" else 403, "You are not authorised.")
        wants_json = request.path.rstrip("/").endswith(".json") or "json" in request.headers.get("accept", "")
        if request.method == "GET" and not wants_json:
            return Answer(200, b"<!DOCTYPE html><html><body>Outages</body></html>", "text/html"), None
        method = {"GET": self._get, "POST": self._create, "PUT": self._update, "DELETE": self._delete}.get(
            request.method)
        if method is None or (request.method == "POST" and number):
            raise Refused(405, "method not allowed")
        if request.method != "GET" and self.csrf_header and self.csrf_header.lower() not in request.headers:
            raise Refused(403, "Bad CSRF token!")
        return method(request, user, version, number)

    def _get(self, _request, _user, version, number):
        if number is None:
            shown = [self._shown(o, version) for o in self.outages.values() if version == "v3" or not o["elements"]]
            return json_answer(200, shown), None
        if number not in self.outages:
            raise Refused(404, f"{number} does not exist, Please enter a valid Outage id.")
        return json_answer(200, self._shown(self.outages[number], version)), None

    def _create(self, request, user, _version, _number):
        number = str(uuid.uuid4())
        self.outages[number] = {**self._checked(self._payload(request)), "id": number}
        return json_answer(201, {"id": number, "success": 1}), self._applied(request, "create", number, user)

    def _update(self, request, user, _version, number):
        if number not in self.outages:
            raise Refused(404 if number else 400, f"{number} does not exist, Please enter a valid Outage id.")
        self.outages[number] = {**self._checked(self._payload(request)), "id": number}  # absolute: the rest is lost
        return json_answer(self.put_status, {"id": number, "success": 1}), self._applied(request, "update", number,
                                                                                        user)

    def _delete(self, request, user, _version, number):
        if not number:
            raise Refused(400, "cannot remove outage without id argument!")
        if number not in self.outages:
            raise Refused(self.unknown_delete_status, f"{number} does not exist, Please enter a valid Outage id.")
        del self.outages[number]
        return json_answer(200, {"success": 1}), self._applied(request, "delete", number, user)

    def _applied(self, request, operation, number, user):
        return Applied(len(self.journal) + 1, request.received, operation, number, user, request.body)

    def _payload(self, request):
        try:
            value = json.loads(request.body)
        except ValueError:
            raise Refused(400, "malformed JSON string") from None
        if not isinstance(value, dict):
            raise Refused(400, "the payload is no object")
        return value

    def _checked(self, given):
        for name in given:
            if name not in FIELDS:
                raise Refused(400, f'invalid property "{name}"')
        frequency = given.get("frequency", "" if self.frequency_required else "once")
        try:
            start, end = nmis_time.checked(frequency, given.get("start"), given.get("end"), self.zone, self.clock())
        except nmis_time.Invalid as invalid:
            raise Refused(400, str(invalid)) from None
        nodes, elements = given.get("nodes", []), given.get("elements", [])
        if not isinstance(nodes, list) or not all(isinstance(n, str) for n in nodes):
            raise Refused(400, "nodes must be an array of names")
        if not isinstance(elements, list) or not all(_is_element(e) for e in elements):
            raise Refused(400, "elements must be an array of node_name and element_name")
        if not nodes and not elements:
            raise Refused(400, "at least one node or element is needed")
        options = given.get("options", {})
        return {"change_id": given.get("change_id", ""), "description": given.get("description", ""),
                "frequency": frequency, "start": start, "end": end, "nodes": list(nodes),
                "elements": copy.deepcopy(elements), "options": options if isinstance(options, dict) else {}}

    def _shown(self, kept, version):
        shown = {name: kept[name] for name in ("id", "change_id", "description", "frequency", "start", "end",
                                               "options")}
        try:
            now = nmis_time.state(kept, int(self.clock()), self.zone, self.core_quirks)[0]
        except (nmis_time.Invalid, TypeError, ValueError, KeyError):
            now = None
        shown["current"] = "current" if now == "current" else None
        if now == "future" and self.current_of_future:
            shown["current"] = self.current_of_future
        if self.times_as_strings:
            shown |= {name: str(shown[name]) for name in ("start", "end")}
        if version == "v2":
            shown["nodes"] = kept["nodes"]
            return shown
        shown["nodes"] = {"name": kept["nodes"]} if kept["nodes"] else {}
        if kept["elements"]:
            shown["element"] = kept["elements"]
        return shown


def matches(outage, node, element=None, core_quirks=False):
    """Is it meant for a node (element None), or for an element of a node? With `core_quirks` as the core has it: every
    entry of the node must match, and only where nodes are given too; an outage of elements alone takes every node."""
    entries = [e["element_name"] for e in outage["elements"] if e["node_name"] == node]
    if core_quirks:
        if not outage["nodes"]:
            return True
        return node in outage["nodes"] and all(_pattern_matches(p, element or "") for p in entries)
    if outage["nodes"] and node not in outage["nodes"]:
        return False
    if not entries:  # the whole node, where it is named; everybody, where nothing is
        return bool(outage["nodes"]) or not outage["elements"]
    return element is not None and any(_pattern_matches(p, element) for p in entries)


def _pattern_matches(pattern, text):
    kind, colon, expression = pattern.partition(":")
    if not colon or kind not in ("regex", "iregex"):
        return pattern == text
    try:
        return re.search(expression, text, re.IGNORECASE if kind == "iregex" else 0) is not None
    except re.error:
        return False


def _is_element(entry):
    return (isinstance(entry, dict) and set(entry) == {"node_name", "element_name"}
            and all(isinstance(v, str) for v in entry.values()))


def json_answer(status, value):
    return Answer(status, json.dumps(value).encode())


def main():
    options = command.parser("nmis", __doc__, "relay:mysecret")
    options.add_argument("--zone", default="UTC", help="the server's time zone")
    options.add_argument("--core-quirks", action="store_true", help="match and evaluate as the core really does")
    args = options.parse_args()
    command.serve(Nmis(command.users(args), args.zone, core_quirks=args.core_quirks, **command.listener(args)), args)


if __name__ == "__main__":
    main()
