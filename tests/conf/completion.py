"""Compares what bash completes with what the program's --help tells: completion.py PROGRAM COMPLETION."""

import re
import subprocess
import sys

COMMANDS = ["run", "check", "send", "exec", "status", "queue list", "queue show", "queue retry", "queue drop",
            "queue pause", "queue resume"]
SCRIPT = """source "$1"; shift
COMP_WORDS=("$@" --) COMP_CWORD=$#
_checkrelay
printf '%s\\n' "${COMPREPLY[@]}"
"""


def lines_of(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


def main(program, completion):
    faults = 0
    for command in COMMANDS:
        told = set(re.findall(r"--[a-z-]+", "\n".join(
            line for line in lines_of(program, *command.split(), "--help") if line.startswith("  -") or
            line.startswith("      --"))))
        known = set(lines_of("bash", "-c", SCRIPT, "bash", completion, "checkrelay", *command.split()))
        if told != known:
            faults += 1
            print(f"{command}: only in the help {sorted(told - known)}, only completed {sorted(known - told)}")
    return 1 if faults else 0


sys.exit(main(*sys.argv[1:]))
