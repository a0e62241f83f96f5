"""OP5 Monitor's HTTP API for passive check results, as its documentation and its open-source core describe it.

    python3 -m simulators.op5 --port 8443 --user status_update:mysecret --object 'db1;Backup' --control-port 8444

What it keeps to: HTTP basic authentication on every request, `user$Module` split at the first `$`; POST alone, on the two
commands; objects looked up exactly; results stamped with the time of receipt; output stored as the core would show it
(blank ends cut, `;` as `:` in the short output, performance data behind the pipe). What the real server loses in silence
(passive checks switched off, host codes beyond 2) is answered 200 and not applied; `ignored` lists it.
"""

import base64
import binascii
import dataclasses
import json

from . import command, op5_filter
from .faults import Answer
from .http_server import HttpSimulator

SERVICE, HOST = "PROCESS_SERVICE_CHECK_RESULT", "PROCESS_HOST_CHECK_RESULT"
MODULES = ("Default", "Local", "LDAP")
HTML = b"<!DOCTYPE html><html><body><h1>Index mismatch</h1></body></html>"


@dataclasses.dataclass(frozen=True)
class Applied:
    number: int
    received: float
    host: str
    service: str  # empty: the host itself
    code: int
    output: str
    long_output: str
    perfdata: str
    user: str
    raw: bytes


class Refused(Exception):
    def __init__(self, status, error, full_error):
        super().__init__(full_error)
        self.answer = error_answer(status, error, full_error)


class Op5(HttpSimulator):
    """objects: {(host, service), …}, service "" for the host itself; None: every object is known."""

    def __init__(self, users=None, objects=None, unknown_status=400, silent_status=200, cut_at_newline=False,
                 **listener):
        super().__init__(**listener)
        self.users = {"status_update": "mysecret"} if users is None else users
        self.objects = None if objects is None else set(objects)
        self.unknown_status = unknown_status
        self.silent_status = silent_status    # what is answered where the core would lose the result
        self.cut_at_newline = cut_at_newline  # the command-file route ends a command there
        self.size_limit = 0                   # bytes of plugin_output; 0 = none
        self.size_status = 200                # beyond it: 200 cuts, 400, 413 or 422 refuses
        self.codes = "any"                    # what a status_code must be: or "string", "number"
        self.passive_disabled = set()
        self.takes = {"host": True, "service": True}  # passive checks, program wide
        self.powerless = set()                # users who may not give commands
        self.version = "1.4.2-naemon"
        self.nested_columns = True            # host.name of a service as {"host": {"name": …}}
        self.ignored = []                     # (Applied, why): answered, not applied

    # Faults that are this system's own.

    def fail_text_509(self, n=1, retry_after=None):
        headers = () if retry_after is None else (("Retry-After", str(retry_after)),)
        self.faults.fail_next(n, 509, "internal sanity protections\n", "text/plain", headers)

    def fail_500_object(self, n=1):
        body = {"error": "Internal error",
                "full_error": {"type": "ORMDriverException", "message": "livestatus is away"}}
        self.faults.fail_next(n, 500, json.dumps(body))

    def fail_html_200(self, n=1):
        self.faults.fail_next(n, 200, HTML, "text/html; charset=utf-8")

    def fail_redirect(self, n=1, location="/login", status=302):
        self.faults.fail_next(n, status, HTML, "text/html", (("Location", location),))

    def expire_sessions(self):
        """There are none: every request brings its credentials."""

    def know(self, host, service=""):
        with self._changed:
            self.objects.add((host, service))

    def overrun(self):
        return Answer(509, b"internal sanity protections\n", "text/plain")

    def decide(self, request):
        try:
            user = self._authenticate(request.headers.get("authorization", ""))
            if request.path == "/api/filter/query":
                return self._filter(request), None
            if user in self.powerless:
                raise Refused(401, "Unauthorized", f"{user} has not the right: API command")
            is_host = self._command(request)
            applied = self._parse(request, user, is_host)
            self._look_up(applied)
        except Refused as refused:
            return refused.answer, None
        command = HOST if is_host else SERVICE
        answer = json_answer(200, {"result": f"Successfully submitted {command}"})
        why = self._lost_in_silence(applied)
        if not why:
            return answer, self._core(applied)
        self.ignored.append((applied, why))
        return (answer if self.silent_status == 200 else error_answer(self.silent_status, "Invalid parameters",
                                                                      why)), None

    def _authenticate(self, header):
        scheme, _, token = header.partition(" ")
        try:
            name, colon, password = base64.b64decode(token, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            name = colon = password = ""
        login, dollar, module = name.partition("$")
        good = scheme.lower() == "basic" and colon and (not dollar or module in MODULES)
        if not good or login not in self.users or self.users[login] != password:
            answer = error_answer(401, "Unauthorized", "the user name or the password is wrong")
            refused = Refused(401, "", "")
            refused.answer = dataclasses.replace(answer,
                                                 headers=(("WWW-Authenticate", 'Basic realm="op5 Monitor API Access"'),
                                                          ))
            raise refused
        return login

    def _filter(self, request):
        if request.method != "GET":
            raise Refused(405, "Method not allowed", f"{request.method} is not supported here")
        query, columns = request.query.get("query", ""), request.query.get("columns", "").split(",")
        try:
            rows = op5_filter.select(query, self._tables())
            return json_answer(200, [op5_filter.project(row, columns, self.nested_columns) for row in rows])
        except op5_filter.Malformed as malformed:
            raise Refused(400, "Invalid query", str(malformed)) from None

    def _tables(self):
        status = {"program_version": self.version, "accept_passive_host_checks": int(self.takes["host"]),
                  "accept_passive_service_checks": int(self.takes["service"])}
        subjects = {(i.host, i.service) for i in self.journal} | {(i.host, i.service) for i, _ in self.ignored}
        objects = [self._object(*subject) for subject in sorted(subjects | (self.objects or set()))]
        return {"status": [status], "hosts": [o for o in objects if "name" in o],
                "services": [o for o in objects if "description" in o]}

    def _object(self, host, service):
        newest = self.state(host, service)
        row = {"last_check": int(newest.received) if newest else 0, "state": newest.code if newest else 0,
               "accept_passive_checks": int((host, service) not in self.passive_disabled)}
        return row | ({"host.name": host, "description": service} if service else {"name": host})

    def _command(self, request):
        name = request.path.removeprefix("/api/command/")
        if name not in (SERVICE, HOST) or name == request.path:
            refused = Refused(404, "", "")
            refused.answer = Answer(404, HTML, "text/html")
            raise refused
        if request.method != "POST":
            raise Refused(405, "Method not allowed", f"{request.method} is not supported here")
        return name == HOST

    def _parse(self, request, user, is_host):
        try:
            body = json.loads(request.body)
        except ValueError:
            raise Refused(400, "Invalid parameters", "the body is not JSON") from None
        if not isinstance(body, dict):
            raise Refused(400, "Invalid parameters", "the body is not an object")
        host = _text(body, "host_name")
        service = "" if is_host else _text(body, "service_description")
        output = _text(body, "plugin_output", required=False)
        if self.size_limit and len(output.encode()) > self.size_limit:
            if self.size_status != 200:
                raise Refused(self.size_status, "Invalid parameters", "plugin_output: too long")
            output = output.encode()[:self.size_limit].decode("utf-8", "ignore")
        code = _code(body, self.codes)
        return Applied(request.number, request.received, host, service, code, output, "", "", user, request.body)

    def _look_up(self, item):
        known = self.objects is None or (item.host, item.service) in self.objects
        if not known or ";" in item.host or ";" in item.service:  # a semicolon would end the command's argument
            what = "service_description: unknown service" if item.service else "host_name: unknown host"
            raise Refused(self.unknown_status, "Invalid parameters", what)

    def _lost_in_silence(self, item):
        if (item.host, item.service) in self.passive_disabled or not self.takes["service" if item.service else "host"]:
            return "passive checks are disabled"
        if not item.service and not 0 <= item.code <= 2:
            return "host status outside 0 to 2"
        return ""

    def _core(self, item):
        code = item.code if 0 <= item.code <= 3 else 3
        text = item.output.split("\n", 1)[0] if self.cut_at_newline else item.output
        short, long, perfdata = split_output(text.strip())
        return dataclasses.replace(item, number=len(self.journal) + 1, code=code, output=short, long_output=long,
                                   perfdata=perfdata)

    # For assertions.

    def outputs(self, host, service=""):
        """What was applied to a subject, in the order of arrival."""
        return [item.output for item in list(self.journal) if (item.host, item.service) == (host, service)]

    def state(self, host, service=""):
        """The subject's newest applied result, or None."""
        return next((i for i in reversed(list(self.journal)) if (i.host, i.service) == (host, service)), None)


def json_answer(status, value):
    return Answer(status, json.dumps(value).encode())


def error_answer(status, error, full_error):
    return json_answer(status, {"error": error, "full_error": full_error})


def _text(body, name, required=True):
    value = body.get(name, None if required else "")
    if not isinstance(value, str) or (required and not value):
        raise Refused(400, "Invalid parameters", f"{name}: a text is needed")
    return value


def _code(body, kinds):
    value = body.get("status_code")
    if isinstance(value, str) and value.lstrip("-").isdecimal() and kinds != "number":
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and kinds != "string":
        return value
    raise Refused(400, "Invalid parameters", "status_code: a number is needed")


def split_output(text):
    """(short output, long output, performance data) as the core takes a plugin's text apart."""
    first, _, rest = text.partition("\n")
    short, _, perfdata = first.partition("|")
    long, _, more = rest.partition("|")
    perfdata = " ".join(p.strip() for p in (perfdata, more.replace("\n", " ")) if p.strip())
    return short.strip().replace(";", ":") or "(No output returned from plugin)", long, perfdata


def main():
    options = command.parser("op5", __doc__, "status_update:mysecret")
    command.object_option(options)
    options.add_argument("--unknown-status", type=int, default=400, choices=(400, 404))
    args = options.parse_args()
    command.serve(Op5(command.users(args), command.objects(args), args.unknown_status, **command.listener(args)), args,
                  announced=True)


if __name__ == "__main__":
    main()
