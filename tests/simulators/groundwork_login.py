"""GroundWork's logins and tokens."""

import base64
import binascii
import dataclasses
import json
import urllib.parse
import uuid

from .faults import Answer
from .groundwork_wire import Stop


@dataclasses.dataclass
class Token:
    user: str
    app_name: str
    used: float


class Logins:
    """A part of the simulator: needs its users, tokens and knobs."""

    def _auth(self, request, what):
        if request.method != "POST":
            return Answer(405, b"", "text/plain")
        form = dict(urllib.parse.parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
        if what == "login":
            return self._login(request, {**request.query, **form})
        if request.headers.get("accept") != "text/plain":
            return Answer(406, b"", "text/plain")
        token = form.get("gwos-api-token", "")
        known = token in self.tokens and self.tokens[token].app_name == form.get("gwos-app-name")
        if what == "validatetoken":
            return Answer(200, b"true" if known else b"false", "text/plain")
        if what != "logout":
            return Answer(404, b"", "text/plain")
        self.logouts += known
        self.tokens.pop(token, None)
        return Answer(200 if known else 404, b"", "text/plain")

    def _login(self, request, form):
        if self.synchronising:
            return Answer(503, b"", "text/plain")
        accepted = [a.split(";")[0].strip() for a in request.headers.get("accept", "*/*").split(",")]
        if self.login_accept not in accepted and "*/*" not in accepted:
            return Answer(406, b"", "text/plain")
        if not all(form.get(name) for name in ("user", "password", "gwos-app-name")):
            return Answer(400, b"missing parameter", "text/plain")
        user = self._decoded(form["user"], self.login_encoding != "plain")
        password = self._decoded(form["password"], self.login_encoding == "base64")
        if user is None or password is None or self.users.get(user) != password:
            return Answer(self.login_refusal, b"user name or password is invalid", "text/plain")
        if len(self.tokens) >= self.max_tokens:
            self.tokens.clear()
        token = str(uuid.uuid4())
        self.tokens[token] = Token(user, form["gwos-app-name"], self.now())
        self.logins += 1
        return Answer(200, (self.token_padding + token + self.token_padding).encode(), self.login_accept)

    @staticmethod
    def _decoded(text, is_base64):
        if not is_base64:
            return text
        try:
            return base64.b64decode(text, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return None

    def _authorise(self, request):
        headers = request.headers
        token = headers.get("gwos-api-token")
        app_name = headers.get("gwos-app-name") or headers.get("app-name")
        if not token or not app_name:
            raise Stop(self._refusal(request, 400, "Bad Request"))
        known = self.tokens.get(token)
        if known and self.now() - known.used > self.idle_seconds:
            del self.tokens[token]
            known = None
        writes = request.method in ("POST", "PUT", "DELETE")
        if not known or known.app_name != app_name or (writes and known.user in self.read_only):
            raise Stop(self._refusal(request, 401, "Unauthorized"))
        known.used = self.now()
        return known

    @staticmethod
    def _refusal(request, status, error):
        accept = request.headers.get("accept")
        if accept == "application/json":
            return Answer(status, json.dumps({"error": error, "status": status}).encode(), accept)
        if accept == "application/xml":
            return Answer(status, f'<error error="{error}" status="{status}"/>'.encode(), accept)
        return Answer(status, b"", "text/plain")
