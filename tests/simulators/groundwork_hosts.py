"""What a GroundWork server says of its hosts and services: reading, deleting, renaming, completing, filtering."""

import json
import urllib.parse

from . import groundwork_wire as wire
from .faults import Answer
from .groundwork_wire import Row

HTML = b"<!DOCTYPE html><html><body><h1>GroundWork is starting</h1></body></html>"


class HostPages:
    """A part of the simulator: needs its hosts, services, groups and knobs."""

    def _other(self, request, path):
        parts = [urllib.parse.unquote(p) for p in path.split("/")[2:]]
        if parts[0] == "services":
            return self._get_services(request, parts)
        if parts[0] != "hosts":
            return Answer(404, HTML, "text/html")
        if request.method == "DELETE":
            return self._delete(request, parts)
        if request.method == "PUT":
            return self._rename(request) if parts[1:] == ["rename"] else Answer(405, b"")
        if request.method != "GET":
            return Answer(405, b"")
        if parts[1:2] == ["autocomplete"] and len(parts) == 3:
            return self._complete(request, parts[2])
        if "/".join(parts[1:]) == self.filter_path:
            wanted = request.query.get("hostGroupNames", "").split(",")
            names = {host for group in wanted for host in self.groups.get(group, ())}
            return self._list(request, [h for n, h in sorted(self.hosts.items()) if n in names])
        if len(parts) > 2:
            return Answer(404, b"")
        if len(parts) == 2:
            host = self.hosts.get(parts[1])
            return self._json(self._shown(host)) if host else Answer(404, b"")
        return self._list(request, wire.query(self.hosts, request.query.get("query")))

    def _get_services(self, request, parts):
        host = request.query.get("hostName")
        if host and "query" in request.query:
            return Answer(400, b"query and hostName exclude each other", "text/plain")
        if len(parts) == 2:
            found = self.services.get((host, parts[1]))
            return self._json(self._shown(found)) if found else Answer(404, b"")
        found = [self._shown(s) for (h, _), s in sorted(self.services.items()) if host in (None, h)]
        return self._json({"services": found}) if found else Answer(404, b"")

    def _list(self, request, hosts):
        first, count = (int(request.query.get(n, d)) for n, d in (("first", "0"), ("count", "1000000")))
        page = [self._shown(h) for h in hosts][first:first + count]
        return self._json({"hosts": page}) if page else Answer(404, b"")

    def _shown(self, stored):
        shown = dict(stored)
        when = wire.read_date(stored.get("lastCheckTime"))
        if when is not None:
            shown["lastCheckTime"] = wire.write_date(when, self.dates)
        return shown

    @staticmethod
    def _json(value):
        return Answer(200, json.dumps(value).encode())

    def _delete(self, request, parts):
        names = parts[1].split(",") if len(parts) > 1 else [i.get("hostName", "") for i in self._items(request, True)]
        rows = []
        for name in names:
            gone = self.hosts.pop(name, None)
            rows.append(Row("success", name) if gone else Row("warning", name, "not found"))
        return self._results(request, rows, "Host", "Delete")

    def _rename(self, request):
        old, new = request.query.get("oldHostName"), request.query.get("newHostName")
        if old not in self.hosts:
            return Answer(404, b"")
        if not new or new in self.hosts:
            return Answer(400, b"duplicate host name", "text/plain")
        self.hosts[new] = {**self.hosts.pop(old), "hostName": new}
        return self._json(self._shown(self.hosts[new]))

    def _complete(self, request, prefix):
        limit = int(request.query.get("limit", "10"))
        names = sorted((n for n in self.hosts if prefix == "*" or n.lower().startswith(prefix.lower())), key=str.lower)
        if not names:
            return Answer(404, b"")
        shown = [{"name": n, "canonicalName": n} for n in names] if self.names_as_objects else names
        return self._json({"names": shown[:limit]})
