"""Results for the chain tests: their subjects and texts hold every character that has ever meant something to somebody
between here and there. What a result says can be computed from its subject and number, and so can what each API leaves
of it, so that what arrives can be judged without asking who sent it."""

import hashlib
import re

from . import crash_load, wire

NAMES = ["pc%41", "us$USER1$", "semi;colon", "pi|pe", "quo\"te'`", "sl/ash\\back", "co:lon::x", "\u00fcml\u00e4ut",
         "\u65e5\u672c\u8a9e", "emo\U0001F600ji", "plus+&=#?", "<b>]]>&amp;", "under_score", "br{a}c[k]et", "til~de!*^",
         "two  blanks", "nb\u00a0sp", "com,bi\u0301ning", "trailing "]
PIECES = ["%", "%41", "$", "$USER1$", "|", "\"", "'", "/", ":", "::", "\\", "\\n", "\u00e4\u00f6", "\u65e5\u672c", ";",
          "\U0001F600", "&", "&amp;", "+", "=", "#", "?", "<b>", "]]>", "{", "}", "[", "]", ",", "~", "`", "!", "*", "^",
          "_", "\u2028", "\t", "  ", "\n", "0", "a", "\u00a0"]
NUMBER = re.compile(r"n=(\d+) ")
BLANKS = " \t\r\n\v\f"
START = 1767608100  # the time of the first result


def flattened(text):
    """What an API of one line leaves of several."""
    lines = (line.strip(BLANKS) for line in text.split("\n"))
    return " / ".join(line for line in lines if line).replace("|", "\u00a6")


class Carriage:
    """What an API cannot address or carry."""

    def __init__(self, unaddressable, times, lines):
        self.times, self.lines = times, lines
        good = [name for name in NAMES if not unaddressable(name)]
        self.subjects = [(name, "") for name in good] + [(f"h{name}", f"s{name}") for name in good]

    def arrives(self, result):
        """As the hub tells it."""
        kept = {key: result[key] for key in ("host", "state", "perfdata")}
        kept["service"] = result.get("service", "")
        kept["output"] = result["output"] if self.lines else flattened(result["output"])
        if self.times:
            kept["time"] = result["time"]
        return kept

    def judge(self, row):
        """(subject, n) of an intact row; None of a damaged one."""
        match, subject = NUMBER.match(row["output"]), (row["host"], row["service"])
        if not match or subject not in self.subjects:
            return None
        key = (subject, int(match[1]))
        expected = self.arrives(make(*key))
        return key if expected == {k: row[k] for k in expected} else None


CARRIAGES = {  # names with a ';' or a blank at an end are no OP5 command, '%' is Opsview's wildcard
    "op5": Carriage(lambda name: ";" in name or name != name.strip(), times=False, lines=False),
    "groundwork": Carriage(lambda name: False, times=True, lines=True),
    "opsview": Carriage(lambda name: "%" in name, times=False, lines=False),
}


def make(subject, n):
    host, service = subject
    digest = hashlib.sha256(f"{host} {service} {n}".encode()).digest()
    words = "".join(PIECES[b % len(PIECES)] for b in digest[:4 + digest[0] % 20])
    more = {"service": service} if service else {}
    return {"host": host, "state": n % (4 if service else 3), "output": f"n={n} {words} {digest.hex() * (1 + n % 4)}",
            "perfdata": f"'l{PIECES[digest[1] % 7]}'={digest[2]};1;2", "time": START + n, **more}


class Producer(crash_load.Stream):
    """Hands in results of these subjects, and again what was not acknowledged."""

    def __init__(self, name, seed, socket, subjects):
        super().__init__(name, seed, socket, wire.JSON, ids=True)
        self.subjects = subjects

    def make(self):
        subject = self.random.choice(self.subjects)
        self.numbers[subject] = n = self.numbers.get(subject, 0) + 1
        return subject, n

    def encode(self, subject, n):
        result = make(subject, n)
        result.setdefault("service", "")
        return wire.encode(wire.JSON, id=f"{self.label}.{self.subjects.index(subject)}.{n}", **result)
