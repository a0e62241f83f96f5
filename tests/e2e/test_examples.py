"""Every file in conf/examples does run, at other places and with nobody at its upstreams; and the two of them that are
meant for each other find each other."""

import pathlib
import re
import tomllib

from .harness import Agent, Case, free_port, result
from .tls import Authority

EXAMPLES = pathlib.Path(__file__).parents[2] / "conf" / "examples"


class Examples(Case):
    def setUp(self):
        super().setUp()
        etc = self.directory / "etc"
        etc.mkdir()
        self.authority = Authority(str(etc), alternative="IP:127.0.0.1")
        cert, key = self.authority.issue("hub", "IP:127.0.0.1")
        self.files = {"/etc/checkrelay/cert.pem": cert, "/etc/checkrelay/key.pem": key,
                      "/etc/checkrelay/our-ca.pem": self.authority.cert}

    def example(self, name, url="http://127.0.0.1:9"):
        """The agent of that file, started; its upstreams are at `url`, where nobody is unless said otherwise."""
        home = self.directory / name
        for directory in ("lib", "run", "spool"):
            (home / directory).mkdir(parents=True)
        text = (EXAMPLES / f"{name}.toml").read_text()
        text = re.sub(r'https://[\w.]+\.example\.com(:\d+)?', url, text)
        text = re.sub(r'listen = "[^"]*"', lambda _: f'listen = "127.0.0.1:{free_port()}"', text)
        for there, here in {"/var/lib/checkrelay": home / "lib", "/run/checkrelay": home / "run",
                            "/var/spool/checkrelay": home / "spool", **self.files}.items():
            text = text.replace(f'"{there}', f'"{here}')
        agent = Agent(home, tomllib.loads(text))
        self.addCleanup(self._end, agent)
        return agent.start()

    def test_each_runs_and_takes_results(self):
        for file in sorted(EXAMPLES.glob("*.toml")):
            with self.subTest(example=file.stem):
                agent = self.example(file.stem)
                self.accept(agent, result(1))
                self.assertEqual(agent.stop(), 0)

    def test_edge_and_hub_of_the_examples_are_made_for_each_other(self):
        hub = self.example("hub-all-systems")
        port = hub.config["intake"][0]["listen"].rsplit(":", 1)[1]
        edge = self.example("edge-to-hub", f"https://127.0.0.1:{port}")
        self.accept(edge, result(1, host="db1", time=1767608100), result(2, host="web1"))
        edge.wait_destination("hub", lambda d: d["delivered"] == 2)
        hub.wait_destination("archive", lambda d: d["delivered"] == 2)
        self.assertEqual([hub.destination(d)["pending"] + hub.destination(d)["in_flight"]
                          for d in ("groundwork", "opsview")], [2, 1])
        rows = pathlib.Path(hub.config["destination"][2]["path"]).read_text()
        self.assertIn('"time":1767608100,', rows)
