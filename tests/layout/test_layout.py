"""The layout check must be able to fail: each case plants one fault in a small tree."""

import pathlib
import tempfile
import unittest

import layout

GOOD = {
    "agent/base/text.h": "#include <string>\n",
    "agent/base/log.cc": '#include <spdlog/spdlog.h>\n#include "agent/base/text.h"\n',
    "agent/port/dialect.h": '#include "agent/base/text.h"\n',
    "agent/flow/agent.cc": '#include "agent/port/dialect.h"\n',
    "agent/runtime/loop.h": "#include <uv.h>\n",
    "agent/main.cc": '#include "plugins/builtin.h"\n#include "spool/journal.h"\n',
    "plugins/builtin.h": '#include "agent/port/dialect.h"\n',
    "plugins/dialects/codec.h": "#include <cstdint>\n",
    "plugins/dialects/op5/wire.h": '#include "plugins/dialects/codec.h"\n',
    "plugins/dialects/native/wire.h": "#include <simdjson.h>\n",
    "plugins/transports/tcp.cc": '#include <sys/socket.h>\n#include "agent/runtime/loop.h"\n',
    "spool/journal.h": "#include <sqlite3.h>\n",
    "spool/directory.cc": '#include "agent/runtime/loop.h"\n',
    "tests/agent/x_test.cc": '#include <gtest/gtest.h>\n#include "agent/flow/agent.cc"\n',
}


def faults_with(planted):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, text in {**GOOD, **planted}.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return list(layout.faults(root))


class Layout(unittest.TestCase):
    def one_fault(self, name, text, words):
        found = faults_with({name: text})
        self.assertEqual(len(found), 1, found)
        self.assertIn(words, found[0])
        self.assertTrue(found[0].startswith(name + ":"), found[0])

    def test_a_good_tree_has_no_faults(self):
        self.assertEqual(faults_with({}), [])

    def test_the_bottom_must_not_look_up(self):
        self.one_fault("agent/base/up.cc", '\n#include "agent/port/dialect.h"\n', ":2: ")

    def test_flow_knows_no_loop(self):
        self.one_fault("agent/flow/x.cc", '#include "agent/runtime/loop.h"\n', "must not")

    def test_the_middle_knows_no_plugin(self):
        self.one_fault("agent/flow/x.cc", '#include "plugins/builtin.h"\n', "must not")
        self.one_fault("agent/cli/x.cc", '#include "spool/journal.h"\n', "must not")

    def test_plugins_and_spool_do_not_know_each_other(self):
        self.one_fault("plugins/transports/x.cc", '#include "spool/journal.h"\n', "must not")
        self.one_fault("spool/x.cc", '#include "plugins/builtin.h"\n', "must not")

    def test_only_the_spool_directory_knows_the_loop(self):
        self.one_fault("spool/x.cc", '#include "agent/runtime/loop.h"\n', "must not")

    def test_a_dialect_knows_no_other(self):
        self.one_fault("plugins/dialects/op5/x.cc", '#include "plugins/dialects/native/wire.h"\n',
                       "must not")

    def test_a_shared_codec_knows_no_dialect(self):
        self.one_fault("plugins/dialects/x.cc", '#include "plugins/dialects/op5/wire.h"\n', "must not")

    def test_a_transport_knows_no_monitoring(self):
        self.one_fault("plugins/transports/x.cc", '#include "plugins/dialects/codec.h"\n', "must not")

    def test_nothing_but_tests_includes_tests(self):
        found = faults_with({"tests/support/w.h": "", "agent/base/x.cc": '#include "tests/support/w.h"\n'})
        self.assertEqual(len(found), 1, found)

    def test_foreign_headers_stay_at_home(self):
        for name, header in [("agent/base/x.cc", "spdlog/spdlog.h"), ("agent/flow/x.cc", "uv.h"),
                             ("agent/model/x.cc", "msgpack.hpp"), ("agent/flow/x.cc", "toml++/toml.h"),
                             ("plugins/transports/x.cc", "sqlite3.h"), ("spool/x.cc", "uv.h"),
                             ("plugins/dialects/op5/x.cc", "curl/curl.h"),
                             ("agent/base/x.h", "tl/expected.hpp")]:
            self.one_fault(name, f"#include <{header}>\n", "is at home in")

    def test_an_unheard_of_library_needs_a_home(self):
        self.one_fault("agent/base/x.cc", "#include <boost/asio.hpp>\n", "has no home")

    def test_one_file_alone_reads_toml(self):
        text = "#include <toml++/toml.h>\n"
        found = faults_with({"agent/config/a.cc": text, "agent/config/b.cc": text})
        self.assertEqual(found, ["agent/config/b.cc:1: <toml++/*> is included from agent/config/a.cc already"])

    def test_paths_begin_at_the_root(self):
        self.one_fault("agent/base/x.cc", '#include "text.h"\n', "no file of the project")
        self.one_fault("agent/base/x.cc", '#include "base/text.h"\n', "no file of the project")

    def test_a_test_may_name_the_helper_beside_it(self):
        self.assertEqual(faults_with({"tests/agent/h.h": "", "tests/agent/y.cc": '#include "h.h"\n'}), [])

    def test_includes_make_no_cycle(self):
        found = faults_with({"agent/base/a.h": '#include "agent/base/b.h"\n',
                             "agent/base/b.h": '#include "agent/base/c.h"\n',
                             "agent/base/c.h": '#include "agent/base/a.h"\n'})
        self.assertEqual(len(found), 1, found)
        self.assertIn("agent/base/a.h -> agent/base/b.h -> agent/base/c.h -> agent/base/a.h", found[0])

    def test_a_diamond_is_no_cycle(self):
        self.assertEqual(faults_with({"agent/base/a.h": '#include "agent/base/b.h"\n#include "agent/base/c.h"\n',
                                      "agent/base/b.h": '#include "agent/base/text.h"\n',
                                      "agent/base/c.h": '#include "agent/base/text.h"\n'}), [])

    def test_files_stay_short(self):
        self.assertEqual(faults_with({"agent/base/x.cc": "\n" * 400}), [])
        self.one_fault("agent/base/x.cc", "\n" * 401, "401 lines")

    def test_an_empty_tree_is_an_error(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(layout.main(["layout.py", folder]), 2)


if __name__ == "__main__":
    unittest.main()
