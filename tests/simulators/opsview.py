"""Opsview's REST API for passive results, as its documentation describes it.

    python3 -m simulators.opsview --port 8445 --user relay:secret --object 'db1;Backup' --control-port 8446

What it keeps to: a token from `/rest/login`, good for an hour after its last successful use, with both headers on every
call; 401 for who is not known, 403 for who may not; scalars as strings; JSON in its relaxed form on the way in, a text
body where it cannot be read; Perl data where no other format is asked for; `%` in a name selects many objects; the two
ways to submit with their different answers; `/rest/reload` as a state machine. What the documents leave open is a knob.
"""

import dataclasses
import itertools
import json
import re
import secrets
import time

from . import command
from . import opsview_wire as wire
from .faults import Answer
from .http_server import HttpSimulator
from .opsview_reload import RELOADING, RUNNING, Reloads
from .opsview_wire import Refused

HOUR = 3600
SUBMITTING = {"ACTIONALL", "ACTIONSOME"}
HTML = b"<!DOCTYPE html><html><body><h1>Opsview login</h1></body></html>"
DEADLOCK = "DBI Exception: DBD::mysql::st execute failed: Deadlock found when trying to get lock"


@dataclasses.dataclass(frozen=True)
class Applied:
    number: int
    received: float
    host: str
    service: str  # empty: the host itself
    code: int
    output: str
    perfdata: str
    user: str
    form: str  # detail or status
    raw: bytes


@dataclasses.dataclass
class Session:
    user: str
    expires: float
    peer: str


class Opsview(Reloads, HttpSimulator):
    """objects: {(host, service), …}, service "" for the host itself; None: every object is known."""

    def __init__(self, users=None, objects=None, unmatched="400", **listener):
        super().__init__(**listener)
        self.users = {"relay": "secret"} if users is None else users
        self.rights = {}                  # user: set of rights; who is not in it has all
        self.objects = None if objects is None else set(objects)
        self.pending = set()              # objects that the next reload makes known
        self.unmatched = unmatched        # "400", "empty" or "success": the answer where no object is selected
        self.strings = True               # scalars as strings
        self.underscore = False           # `_` is a wildcard, too
        self.api = {"api_version": "6.008", "api_min_version": "2.000", "easyxdm_version": "2.4.8.100"}
        self.version = "6.8.9"
        self.state_key = "new_state"      # of `/rest/status`; its parameter table says "state"
        self.forms = "both"               # ways to submit that there are: or "detail", "status"
        self.submit_right = ""            # the one right that submitting needs; else one of two
        self.bind_address = False         # a token is good for the address that it was given to
        self.token_digits = 40
        self.always_return_200 = False    # as if every call had asked for it
        self.error_detail = True
        self.messages = "string"          # of the 409: "string" or "strings"; `reload_messages` are as they are
        self.during_reload = "409"        # what a submission gets: "409", "miss" or "accept"
        self.reload_messages = []
        self.server_status = RUNNING
        self.average_duration = 30
        self.configuration_status = "uptodate"
        self.last_updated = 1519680052
        self.changelog_required = False
        self.reload_fails = ""            # a message: a POST of a reload answers 400
        self.reloads = []                 # changelogs of those that were asked for
        self.logins = 0                   # good ones
        self.sessions = {}
        self._ahead = 0.0                 # seconds that the clock was moved on
        self._ids = itertools.count(1)

    # Faults that are this system's own.

    def fail_deadlock(self, n=1, status=500):
        self.faults.fail_next(n, status, DEADLOCK, "text/plain")

    def fail_html_200(self, n=1):
        self.faults.fail_next(n, 200, HTML, "text/html; charset=utf-8")

    def fail_redirect(self, n=1, location="/login", status=307):
        self.faults.fail_next(n, status, HTML, "text/html", (("Location", location),))

    def fail_login(self, n=1):
        with self._changed:
            self._login_failures = n

    _login_failures = 0

    def expire_sessions(self):
        with self._changed:
            self.sessions.clear()

    def pass_time(self, seconds):
        with self._changed:
            self._ahead += seconds

    def restart(self):
        self.expire_sessions()
        super().restart()

    def know(self, host, service=""):
        with self._changed:
            self.objects.add((host, service))

    def decide(self, request):
        item = None
        try:
            status, value, item = self._route(request)
            headers = ()
        except Refused as refused:
            status, value, headers = refused.status, refused.value, refused.headers
        return self._render(request, status, value, headers), item

    def _route(self, request):
        path = request.path.rstrip("/")
        verbs = {
            "/rest": {"GET": self._versions},
            "/rest/login": {"POST": self._login, "DELETE": self._logout},
            "/rest/logout": {"POST": self._logout},
            "/rest/info": {"GET": self._info},
            "/rest/user": {"GET": self._user},
            "/rest/reload": {"GET": self._reload_status, "POST": self._reload},
            "/rest/detail": {"GET": self._get_detail, "POST": self._set_detail},
            "/rest/status": {"POST": self._set_status},
        }.get(path)
        if verbs is None:
            raise Refused(404, {"message": "Not found"})
        if request.method not in verbs:
            raise Refused(405, {"message": f"{request.method} is unimplemented"})
        user = None if path in ("/rest", "/rest/login") and request.method != "DELETE" else self._who(request)
        answer = verbs[request.method](request, user)
        if user is not None and (session := self.sessions.get(wire.token(request))):
            session.expires = self._now() + HOUR
        return answer

    def _now(self):
        return time.time() + self._ahead

    def _who(self, request):
        session = self.sessions.get(wire.token(request))
        if not session or session.expires < self._now() or session.user != request.headers.get("x-opsview-username"):
            raise Refused(401, {"message": "Not authenticated", **self._detail("the token is not known")})
        if self.bind_address and session.peer != request.peer:
            raise Refused(401, {"message": "Not authenticated", **self._detail("the token is another address's")})
        return session.user

    def _detail(self, text):
        return {"detail": text} if self.error_detail else {}

    def _must(self, user, *rights):
        if user in self.rights and not self.rights[user] & set(rights):
            raise Refused(403, {"message": "Access denied"})

    def _versions(self, _request, _user):
        return 200, self.api, None

    def _login(self, request, _user):
        if self._login_failures:
            self._login_failures -= 1
            raise Refused(503, {"message": "Error creating session token after 5 attempts"})
        given = {**wire.query(request), **wire.fields(request)}
        name, password = given.get("username"), given.get("password")
        if name not in self.users or self.users[name] != password:
            raise Refused(401, {"message": "Authentication failed", **self._detail("user or password")})
        token = secrets.token_hex(self.token_digits // 2)
        self.sessions[token] = Session(name, self._now() + HOUR, request.peer)
        self.logins += 1
        answer = {"token": token}
        if str(given.get("include_user_data")) == "1":
            answer["user_data"] = self._user_data(name)
        return 200, answer, None

    def _logout(self, request, _user):
        del self.sessions[wire.token(request)]
        return 200, {"logout_via": "REST API"}, None

    def _user_data(self, user):
        rights = self.rights.get(user, SUBMITTING | {"RELOADVIEW", "RELOADACCESS"})
        return {"name": user, "fullname": user.title(), "realm": "local", "role": "Passive",
                "access_list": {right: 1 for right in sorted(rights)}}

    def _user(self, _request, user):
        return 200, self._user_data(user), None

    def _info(self, _request, _user):
        return 200, {"opsview_version": self.version, "opsview_build": "6.8.9.202", "opsview_edition": "commercial",
                     "opsview_name": "Opsview", "server_timezone": "UTC", "server_timezone_offset": 0,
                     "uuid": "5B40A354-90C4-11DE-8C65-487C69EFFEC7"}, None

    # Objects.

    def _get_detail(self, request, _user):
        chosen = self._select(wire.selection(wire.query_lists(request)))
        if not chosen and self.unmatched == "400":
            raise Refused(400, {"message": "No objects chosen", **self._detail("or no permission")})
        if len(chosen) != 1:
            return 200, {"list": [self._row(*c) for c in chosen], "summary": {"rows": len(chosen)}}, None
        return 200, {"object": self._row(*chosen[0])}, None

    def _row(self, host, service):
        newest = self.state(host, service)
        row = {"hostname": host, "state": "UP" if not service else "OK", "check_type": 2,
               "output": newest.output if newest else "", "last_check": int(newest.received) if newest else 0}
        return {**row, "servicename": service} if service else row

    def _select(self, selection):
        hosts, services = selection
        if self.objects is None:
            if not hosts or any("%" in name for name in hosts + services):
                return []
            return [(h, s) for h in hosts for s in services or [""]]
        known = [o for o in self.objects if bool(o[1]) == bool(services)]
        return sorted(o for o in known if any(self._like(o[0], h) for h in hosts)
                      and (not services or any(self._like(o[1], s) for s in services)))

    def _like(self, name, pattern):
        wild = {"%": ".*", **({"_": "."} if self.underscore else {})}
        return re.fullmatch("".join(wild.get(c, re.escape(c)) for c in pattern), name, re.DOTALL) is not None

    def _submit(self, request, user, given, form, code, text):
        self._must(user, *([self.submit_right] if self.submit_right else SUBMITTING))
        if self.forms not in ("both", form):
            raise Refused(404, {"message": "Not found"})
        if self.server_status == RELOADING and self.during_reload == "409":
            self._refuse_while_reloading()
        missing = self.server_status == RELOADING and self.during_reload == "miss"
        chosen = [] if missing else self._select(wire.selection(given))
        if not chosen and self.unmatched == "400":
            raise Refused(400, {"message": "No objects chosen", **self._detail("no permission, or no such object")})
        items = [self._apply(request, user, form, code, text, *c) for c in chosen]
        for item in items[:-1]:
            self.journal.append(item)
        return items

    def _apply(self, request, user, form, code, text, host, service):
        output, _, perfdata = text.partition("|")
        top = 3 if service else 2
        if not 0 <= code <= top:
            raise Refused(400, {"message": "Error validating set_state parameters", **self._detail(f"result {code}")})
        return Applied(next(self._ids), request.received, host, service, code, output, perfdata, user, form,
                       request.body)

    def _set_detail(self, request, user):
        body = wire.fields(request)
        state = body.get("set_state")
        if not isinstance(state, dict):
            raise Refused(400, {"message": "Error validating detail parameters", **self._detail("no set_state")})
        if not isinstance(state.get("output"), str) or not state["output"]:
            raise Refused(400, {"message": "Error validating set_state parameters", **self._detail("output is empty")})
        items = self._submit(request, user, wire.query_lists(request, body), "detail", wire.code(state.get("result")),
                             state["output"])
        if not items and self.unmatched == "empty":
            return 200, wire.echo([]), None
        return 200, {"success": "1"}, items[-1] if items else None

    def _set_status(self, request, user):
        given = wire.query_lists(request, wire.fields(request))
        code = wire.code(given.get(self.state_key, [None])[0])
        text = given.get("comment", [""])[0]
        items = self._submit(request, user, given, "status", code, text)
        return 200, wire.echo(items), items[-1] if items else None

    def _render(self, request, status, value, headers):
        if self.always_return_200 or wire.query(request).get("alwaysReturn200") == "1":
            return Answer(200, json.dumps({"rest": self._strung(value)}).encode(), headers=headers)
        if isinstance(value, str):
            return Answer(status, value.encode(), "text/plain", headers)
        wanted = request.headers.get("accept") or request.headers.get("content-type") or ""
        if "json" in wanted or (request.method == "GET" and "json" in wire.query(request).get("content-type", "")):
            return Answer(status, json.dumps(self._strung(value)).encode(), "application/json", headers)
        return Answer(status, wire.perl(self._strung(value)).encode(), "text/x-data-dumper", headers)

    def _strung(self, value):
        if isinstance(value, dict):
            return {key: self._strung(v) for key, v in value.items()}
        if isinstance(value, list):
            return [self._strung(v) for v in value]
        return str(value) if self.strings and isinstance(value, (int, float)) else value

    # For assertions.

    def outputs(self, host, service=""):
        """What was applied to a subject, in the order of arrival."""
        return [item.output for item in list(self.journal) if (item.host, item.service) == (host, service)]

    def state(self, host, service=""):
        """The subject's newest applied result, or None."""
        return next((i for i in reversed(list(self.journal)) if (i.host, i.service) == (host, service)), None)

    def asked(self, method, path):
        return [r for r in list(self.requests) if (r.method, r.path) == (method, path)]


def main():
    options = command.parser("opsview", __doc__, "relay:secret")
    command.object_option(options)
    options.add_argument("--unmatched", default="400", choices=("400", "empty", "success"))
    args = options.parse_args()
    command.serve(Opsview(command.users(args), command.objects(args), args.unmatched, **command.listener(args)), args,
                  announced=True)


if __name__ == "__main__":
    main()
