"""The query language of OP5's filter API, as much as a relay needs: [table] with all, or comparisons by = under and, or
and brackets; texts in double quotes with backslashes for escapes."""

import re

TOKEN = re.compile(r'\s*(?:("(?:[^"\\]|\\.)*")|([a-z][a-z0-9_.]*)|([()=\[\]])|([0-9]+))')


class Malformed(ValueError):
    pass


def select(query, tables):
    tokens = _tokens(query)
    if len(tokens) < 4 or tokens[0] != "[" or tokens[2] != "]" or tokens[1] not in tables:
        raise Malformed(query)
    rest = tokens[3:]
    test = _any(rest)
    if rest:
        raise Malformed(query)
    return [row for row in tables[tokens[1]] if test(row)]


def project(row, columns, nested):
    out = {}
    for column in columns:
        if column not in row:
            raise Malformed(column)
        table, dot, name = column.partition(".")
        if dot and nested:
            out.setdefault(table, {})[name] = row[column]
        else:
            out[column] = row[column]
    return out


def _tokens(query):
    tokens, at = [], 0
    while query[at:].strip():
        match = TOKEN.match(query, at)
        if not match:
            raise Malformed(query)
        tokens.append(match.group(0).strip())
        at = match.end()
    return tokens


def _any(tokens):
    tests = [_all(tokens)]
    while tokens and tokens[0] == "or":
        tokens.pop(0)
        tests.append(_all(tokens))
    return lambda row: any(test(row) for test in tests)


def _all(tokens):
    tests = [_one(tokens)]
    while tokens and tokens[0] == "and":
        tokens.pop(0)
        tests.append(_one(tokens))
    return lambda row: all(test(row) for test in tests)


def _one(tokens):
    token = tokens.pop(0) if tokens else ""
    if token == "all":
        return lambda row: True
    if token == "(":
        test = _any(tokens)
        if not tokens or tokens.pop(0) != ")":
            raise Malformed("a bracket is open")
        return test
    if len(tokens) < 2 or tokens[0] != "=":
        raise Malformed(token)
    value = _value(tokens[1])
    del tokens[:2]
    return lambda row: row.get(token) == value


def _value(token):
    if token.startswith('"'):
        return re.sub(r"\\(.)", r"\1", token[1:-1])
    if token.isdigit():
        return int(token)
    raise Malformed(token)
