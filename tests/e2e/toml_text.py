"""Writes a configuration from plain values: dicts are sections, lists of dicts are arrays of sections."""

import json


def dumps(config):
    return "".join(_section(name, value) for name, value in config.items())


def _section(name, value):
    if isinstance(value, list):
        return "".join(f"[[{name}]]\n{_body(name, entry)}" for entry in value)
    return f"[{name}]\n{_body(name, value)}"


def _body(name, section):
    plain = {k: v for k, v in section.items() if not _is_section(v)}
    nested = {k: v for k, v in section.items() if _is_section(v)}
    lines = "".join(f"{key} = {_value(value)}\n" for key, value in plain.items())
    return lines + "".join(_section(f"{name}.{key}", value) for key, value in nested.items()) + "\n"


def _is_section(value):
    return isinstance(value, dict) or (isinstance(value, list) and bool(value) and isinstance(value[0], dict))


def _value(value):
    if isinstance(value, list):
        return "[" + ", ".join(_value(v) for v in value) + "]"
    return json.dumps(value)  # TOML's basic strings, booleans and numbers are written as JSON's
