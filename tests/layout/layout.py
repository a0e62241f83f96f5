"""Reads every include of the tree and says which break the house's directions.

  layout.py ROOT    prints each fault as FILE:LINE: what is wrong; exit 0 = none
"""

import fnmatch
import pathlib
import re
import sys

MAX_LINES = 400
SOURCES = {".h", ".cc", ".py"}
FOLDERS = ("agent", "spool", "plugins", "tests", "contrib")

# Which folder may include which; the first pattern that fits a file decides. "own" = its own folder.
# The files directly in agent/ wire everything together and are the only ones that see everything.
DIRECTIONS = [
    ("agent/base/*", ["agent/base"]),
    ("agent/model/*", ["agent/model", "agent/base"]),
    ("agent/port/*", ["agent/port", "agent/base", "agent/model"]),
    ("agent/policy/*", ["agent/policy", "agent/base", "agent/model", "agent/port"]),
    ("agent/config/*", ["agent/config", "agent/base", "agent/model", "agent/port", "agent/policy"]),
    ("agent/flow/*", ["agent/flow", "agent/base", "agent/model", "agent/port", "agent/policy",
                      "agent/config"]),
    ("agent/runtime/*", ["agent/runtime", "agent/base"]),
    ("agent/cli/*", ["agent/cli", "agent/base", "agent/model", "agent/port", "agent/policy",
                     "agent/config", "agent/flow", "agent/runtime"]),
    ("agent/*", ["agent", "spool", "plugins"]),
    ("spool/directory*", ["spool", "agent/base", "agent/model", "agent/port", "agent/runtime"]),
    ("spool/*", ["spool", "agent/base", "agent/model", "agent/port"]),
    ("plugins/transports/*", ["plugins/transports", "agent/base", "agent/port", "agent/runtime"]),
    ("plugins/dialects/*", ["own", "agent/base", "agent/model", "agent/port"]),
    ("plugins/*", ["plugins", "agent/base", "agent/port"]),
    ("tests/*", ["agent", "spool", "plugins", "tests"]),
]

# Where a foreign header is at home. "one file" = its whole folder may include it from one file only.
HOMES = [
    ("fmt/*", ["*"], False),
    ("tl/expected.hpp", ["agent/base/result.h"], False),
    ("spdlog/*", ["agent/base/log.cc"], False),
    ("prometheus/*", ["agent/base/metrics.cc"], False),
    ("msgpack.hpp", ["agent/model/packed*.cc", "plugins/dialects/native/*.cc"], False),
    ("toml++/*", ["agent/config/*.cc"], True),
    ("CLI/*", ["agent/cli/*.cc"], True),
    ("nlohmann/*", ["agent/cli/*.cc", "agent/cli/json_view.h", "plugins/dialects/*"], False),
    ("simdjson.h", ["plugins/dialects/*"], False),
    ("pugixml.hpp", ["plugins/dialects/*"], False),
    ("date/*", ["agent/policy/zone.cc"], False),
    ("re2/*", ["agent/policy/pattern.cc"], False),
    ("uv.h", ["agent/runtime/*", "plugins/transports/*", "spool/directory*"], False),
    ("systemd/*", ["agent/runtime/*"], False),
    ("sqlite3.h", ["spool/*"], False),
    ("sodium.h", ["spool/*"], False),
    ("zstd.h", ["spool/*", "plugins/dialects/*"], False),
    ("curl/*", ["plugins/transports/*"], False),
    ("dlfcn.h", ["plugins/transports/curl_library.cc"], False),
    ("llhttp.h", ["plugins/transports/*"], False),
    ("openssl/*", ["plugins/transports/*", "plugins/dialects/*"], False),
]

# Headers of C, POSIX and Linux; of C++ are all without a dot.
SYSTEM = re.compile(
    r"^(sys|netinet|arpa|net|linux)/\w+\.h$"
    r"|^(dirent|endian|errno|fcntl|fnmatch|getopt|glob|grp|limits|netdb|poll|pthread|pwd|sched|signal"
    r"|spawn|stdint|stdio|stdlib|string|syslog|time|unistd)\.h$"
)
CPP = re.compile(r"^[a-z_0-9]+$")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def sources(root):
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in SOURCES and path.is_file():
                yield path.relative_to(root).as_posix(), path


def includes(path):
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
        found = INCLUDE.match(line)
        if found:
            yield number, found.group(1) == "<", found.group(2)


def in_folder(header, folder):
    return header.startswith(folder + "/")


def dialect_of(name):
    parts = name.split("/")
    return parts[2] if name.startswith("plugins/dialects/") and len(parts) > 3 else ""


def may_include(name, header):
    allowed = next((a for pattern, a in DIRECTIONS if fnmatch.fnmatch(name, pattern)), [])
    if any(in_folder(header, folder) for folder in allowed if folder != "own"):
        return True
    if "own" not in allowed or not in_folder(header, "plugins/dialects"):
        return False
    # A dialect sees its own folder and the shared codecs beside it, a shared codec only its like.
    return dialect_of(header) in ("", dialect_of(name))


def resolved(root, name, header):
    """A test may name a helper in its own folder; everything else is named from the root."""
    beside = f"{name.rsplit('/', 1)[0]}/{header}"
    local = name.startswith("tests/") and "/" not in header and (root / beside).is_file()
    return beside if local else header


def wrong_project_include(root, name, header):
    if not (root / header).is_file():
        return f'"{header}" is no file of the project (paths begin at its root)'
    if not may_include(name, header):
        return f'"{header}" must not be included from here'
    return None


def wrong_foreign_include(name, header):
    if name.startswith("tests/") or CPP.match(header) or SYSTEM.match(header):
        return None
    home = next((h for h in HOMES if fnmatch.fnmatch(header, h[0])), None)
    if home is None:
        return f"<{header}> has no home in tests/layout/layout.py"
    if not any(fnmatch.fnmatch(name, pattern) for pattern in home[1]):
        return f"<{header}> is at home in {', '.join(home[1])} only"
    return None


def shared_homes(users):
    """Of the headers that one file alone may include: those that two do."""
    for pattern, _, single in HOMES:
        files = sorted({name for header, name in users if fnmatch.fnmatch(header, pattern)})
        if single and len(files) > 1:
            yield f"{files[1]}:1: <{pattern}> is included from {files[0]} already"


def cycles(graph):
    """One fault for each include that closes a circle."""
    done = set()
    for start in sorted(graph):
        path = []
        stack = [(start, False)]
        while stack:
            name, leaving = stack.pop()
            if leaving:
                path.pop()
                done.add(name)
            elif name in path:
                yield f"{path[-1]}:1: include cycle: {' -> '.join(path[path.index(name):] + [name])}"
            elif name not in done:
                path.append(name)
                stack.append((name, True))
                stack.extend((header, False) for header in sorted(graph.get(name, ())))


def faults(root):
    graph, users = {}, set()
    for name, path in sources(root):
        lines = len(path.read_text(errors="replace").splitlines())
        if lines > MAX_LINES:
            yield f"{name}:{MAX_LINES + 1}: {lines} lines, at most {MAX_LINES}"
        if path.suffix == ".py":
            continue
        for number, foreign, header in includes(path):
            if foreign:
                wrong = wrong_foreign_include(name, header)
                if not name.startswith("tests/"):
                    users.add((header, name))
            else:
                header = resolved(root, name, header)
                wrong = wrong_project_include(root, name, header)
                graph.setdefault(name, set()).add(header)
            if wrong:
                yield f"{name}:{number}: {wrong}"
    yield from shared_homes(users)
    yield from cycles(graph)


def main(arguments):
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    root = pathlib.Path(arguments[1])
    if not any(sources(root)):
        print(f"{root}: no sources", file=sys.stderr)
        return 2
    found = list(faults(root))
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
