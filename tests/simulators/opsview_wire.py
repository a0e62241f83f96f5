"""How Opsview's API reads requests and writes answers: parameters, relaxed JSON, Perl data."""

import collections
import json
import re
import urllib.parse


class Refused(Exception):
    """A status and the value that goes with it; a str value is sent as text, whatever was asked for."""

    def __init__(self, status, value, headers=()):
        super().__init__(str(value))
        self.status, self.value, self.headers = status, value, tuple(headers)


def perl(value):
    """As Data::Dumper writes it, on one line."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{perl(key)} => {perl(v)}" for key, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(perl(v) for v in value) + "]"
    if value is None:
        return "undef"
    return "'" + str(value).replace("\\", "\\\\").replace("'", "\\'") + "'"


def token(request):
    return request.headers.get("x-opsview-token", "")


def query(request):
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(request.target).query, keep_blank_values=True))


def query_lists(request, body=None):
    """What was given, each name with its values; what the body says wins."""
    given = collections.defaultdict(list)
    for name, value in urllib.parse.parse_qsl(urllib.parse.urlsplit(request.target).query, keep_blank_values=True):
        given[name].append(value)
    for name, value in (body or {}).items():
        given[name] = value if isinstance(value, list) else [value]
    return given


def selection(given):
    """(host names, service names) of the parameters that this simulator knows."""
    hosts, services = [], []
    for name in ("hostname", "hst.hostname", "svc.hostname"):
        hosts += given.get(name, [])
    for name in ("servicename", "svc.servicename"):
        services += given.get(name, [])
    return hosts, services


def fields(request):
    if not request.body:
        return {}
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        return dict(urllib.parse.parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
    if kind != "application/json":
        raise Refused(415, f"Content-Type {kind} is not supported")
    try:
        value = json.loads(relaxed(request.body.decode()))
    except ValueError as error:
        raise Refused(400, f"Content-Type application/json had a problem with your request.\n{error}") from None
    if not isinstance(value, dict):
        raise Refused(400, {"message": "Error when parsing data", "detail": "Not a HASH"})
    return value


def relaxed(text):
    """Strict JSON of relaxed: without `#` comments and commas at the end of lists. Strings are left alone."""
    parts = re.split(r'("(?:[^"\\]|\\.)*")', text)
    parts[::2] = [re.sub(r"#[^\n]*", "", part) for part in parts[::2]]
    return re.sub(r'("(?:[^"\\]|\\.)*")|,(?=\s*[\]}])', lambda m: m.group(1) or "", "".join(parts))


def echo(items):
    hosts = [{"id": i.number, "hostname": i.host} for i in items if not i.service]
    services = [{"id": i.number, "hostname": i.host, "servicename": i.service} for i in items if i.service]
    return {"summary": {"num_hosts": len(hosts), "num_services": len(services)},
            "list": {"hosts": hosts, "services": services}}


def code(value):
    if isinstance(value, str) and value.lstrip("-").isdecimal():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise Refused(400, {"message": "Error validating state parameters"})
