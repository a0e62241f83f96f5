"""Opsview's reload as a state machine: objects that wait for it, and what is answered meanwhile."""

from . import opsview_wire as wire
from .opsview_wire import Refused

RUNNING, RELOADING, DOWN, BROKEN, WARNINGS = range(5)


class Reloads:
    """A part of the simulator: needs its objects, rights and knobs."""

    def configure(self, host, service=""):
        """An object that was made in the interface and waits for the next reload."""
        with self._changed:
            self.pending.add((host, service))
            self.configuration_status = "pending"
            self.last_updated += 1

    def begin_reload(self):
        with self._changed:
            self.server_status = RELOADING

    def end_reload(self, status=RUNNING):
        with self._changed:
            self.server_status = status
            self.configuration_status = "uptodate"
            self.last_updated += 300
            if self.objects is not None:
                self.objects |= self.pending
            self.pending.clear()
            self._changed.notify_all()

    def _reload_status(self, _request, user):
        self._must(user, "RELOADVIEW")
        return 200, {"server_status": self.server_status, "configuration_status": self.configuration_status,
                     "average_duration": self.average_duration, "lastupdated": self.last_updated,
                     "auditlog_entries": None, "messages": self.reload_messages}, None

    def _reload(self, request, user):
        self._must(user, "RELOADVIEW")
        self._must(user, "RELOADACCESS")
        given = {**wire.query(request), **wire.fields(request)}
        if self.server_status == RELOADING:
            self._refuse_while_reloading()
        if self.changelog_required and not given.get("changelog"):
            raise Refused(400, {"message": "A changelog is required"})
        if self.reload_fails:
            raise Refused(400, {"server_status": BROKEN, "messages": [
                {"detail": self.reload_fails, "monitoringserver": "Master Monitoring Server", "severity": "critical"}]})
        self.reloads.append(given.get("changelog", ""))
        if str(given.get("asynchronous")) == "1":
            self.server_status = RELOADING
            return 200, {"server_status": RELOADING}, None
        self.end_reload()
        return self._reload_status(request, user)

    def _refuse_while_reloading(self):
        text = "Reload already running"
        raise Refused(409, {"server_status": RELOADING, "messages": text if self.messages == "string" else [text]})
