"""What is not to be trusted, for each destination over HTTP."""

from . import hostile, upstreams


class CertificatesOfOp5(hostile.Certificates, upstreams.ToOp5):
    pass


class CertificatesOfGroundWork(hostile.Certificates, upstreams.ToGroundWork):
    pass


class CertificatesOfOpsview(hostile.Certificates, upstreams.ToOpsview):
    pass


class RedirectsOfOp5(hostile.Redirects, upstreams.ToOp5):
    pass


class RedirectsOfGroundWork(hostile.Redirects, upstreams.ToGroundWork):
    pass


class RedirectsOfOpsview(hostile.Redirects, upstreams.ToOpsview):
    pass


class SecretsToOp5(hostile.Secrets, upstreams.ToOp5):
    pass


class SecretsToGroundWork(hostile.Secrets, upstreams.ToGroundWork):
    pass


class SecretsToOpsview(hostile.Secrets, upstreams.ToOpsview):
    pass


class SessionsOfGroundWork(hostile.Sessions, upstreams.ToGroundWork):
    pass


class SessionsOfOpsview(hostile.Sessions, upstreams.ToOpsview):
    pass


class BadAnswersOfOp5(hostile.BadAnswers, upstreams.ToOp5):
    pass


class BadAnswersOfGroundWork(hostile.BadAnswers, upstreams.ToGroundWork):
    pass


class BadAnswersOfOpsview(hostile.BadAnswers, upstreams.ToOpsview):
    pass


class BadAnswersOfOpsviewByStatus(hostile.BadAnswers, upstreams.ToOpsviewStatus):
    pass


class BadLoginsOfGroundWork(hostile.BadLogins, upstreams.ToGroundWork):
    pass


class BadLoginsOfOpsview(hostile.BadLogins, upstreams.ToOpsview):
    pass
