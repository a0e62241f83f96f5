"""Every scenario that holds of each destination over HTTP, for each of them."""

from . import scenarios, upstreams


class ResultsToOp5(scenarios.Results, upstreams.ToOp5):
    pass


class ResultsToGroundWork(scenarios.Results, upstreams.ToGroundWork):
    pass


class ResultsToOpsview(scenarios.Results, upstreams.ToOpsview):
    pass


class ResultsToOpsviewByStatus(scenarios.Results, upstreams.ToOpsviewStatus):
    pass


class NetworksToOp5(scenarios.Networks, upstreams.ToOp5):
    pass


class NetworksToGroundWork(scenarios.Networks, upstreams.ToGroundWork):
    pass


class NetworksToOpsview(scenarios.Networks, upstreams.ToOpsview):
    pass


class PaceToOp5(scenarios.Pace, upstreams.ToOp5):
    pass


class PaceToGroundWork(scenarios.Pace, upstreams.ToGroundWork):
    pass


class PaceToOpsview(scenarios.Pace, upstreams.ToOpsview):
    pass
