"""Certificates for tests, made with the openssl command."""

import os
import subprocess


class Authority:
    """A certificate authority in a directory; issue() returns (certificate, key) files."""

    def __init__(self, directory, name="Test CA", alternative=None):
        self.directory, self.name = directory, name.replace(" ", "-")
        self.cert, self.key = self._file("ca.pem"), self._file("ca.key")
        _openssl("req", "-x509", *_NEW, "-keyout", self.key, "-out", self.cert, "-days", "2", "-subj", f"/CN={name}",
                 *(("-addext", f"subjectAltName={alternative}") if alternative else ()))

    def issue(self, name, alternative=None, days=2):
        """For `name`, or for what `alternative` says; with days=-1 it has expired."""
        cert, key, request = (self._file(f"{name}.{end}") for end in ("pem", "key", "csr"))
        _openssl("req", *_NEW, "-keyout", key, "-out", request, "-subj", f"/CN={name}")
        extensions = self._file(f"{name}.ext")
        with open(extensions, "w") as file:
            file.write(f"subjectAltName={alternative or 'DNS:' + name}\n")
        _openssl("x509", "-req", "-in", request, "-CA", self.cert, "-CAkey", self.key, "-CAcreateserial", "-days", str(days),
                 "-extfile", extensions, "-out", cert)
        return cert, key

    def _file(self, name):
        return os.path.join(self.directory, f"{self.name}-{name}")


_NEW = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def _openssl(*args):
    subprocess.run(["openssl", *args], check=True, capture_output=True)
