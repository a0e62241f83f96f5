"""What travels to and from a GroundWork server, taken apart and put together: items, results documents, dates, queries."""

import dataclasses
import datetime
import json
import re
import urllib.parse
import xml.etree.ElementTree as ET
from xml.sax.saxutils import quoteattr

COUNTERS = {"successful": ("successful", "failed", "warning"), "success": ("success", "failure", "warning"), "none": ()}


@dataclasses.dataclass
class Row:
    status: str
    entity: str
    message: str = ""
    location: str = ""


class Stop(Exception):
    """Ends a request with this answer."""

    def __init__(self, answer):
        super().__init__(answer.status)
        self.answer = answer


def read_items(body, kind, is_host):
    """The items of a batch as dicts with `properties`; ValueError where the body is none."""
    items = _read_xml(body, is_host) if kind == "application/xml" else _read_json(body, is_host)
    for item in items:
        item["properties"] = {str(k): str(v) for k, v in (item.get("properties") or {}).items()}
        for name, value in item.items():
            if name != "properties" and not isinstance(value, str):
                item[name] = str(value)
    return items


def _read_json(body, is_host):
    value = json.loads(body)  # its error is a ValueError
    if isinstance(value, dict):
        value = value.get("hosts" if is_host else "services")
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise ValueError("no list of items")
    return [{k: v for k, v in item.items() if v is not None} for item in value]


def _read_xml(body, is_host):
    try:
        root = ET.fromstring(body)
    except ET.ParseError as error:
        raise ValueError(str(error)) from None
    one = "host" if is_host else "service"
    if root.tag != one + "s":
        raise ValueError(f"<{root.tag}> is not <{one}s>")
    items = []
    for element in root.iter(one):
        item = dict(element.attrib)
        item["properties"] = {p.get("name", ""): p.get("value", "") for p in element.iter("property")}
        items.append(item)
    return items


def write_results(rows, entity_type, operation, counters, xml):
    counts = [sum(row.status == status for row in rows) for status in ("success", "failure", "warning")]
    head = dict(zip(COUNTERS[counters], counts)) | ({"count": len(rows)} if counters != "none" else {})
    head |= {"entityType": entity_type, "operation": operation}
    listed = [{k: v for k, v in vars(row).items() if v} for row in rows]
    if not xml:
        return json.dumps({**head, "results": listed})
    attributes = "".join(f" {name}={quoteattr(str(value))}" for name, value in head.items())
    inner = "".join("<result" + "".join(f" {n}={quoteattr(v)}" for n, v in row.items()) + "/>" for row in listed)
    return f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<results{attributes}>{inner}</results>'


def location(root, host, service):
    if not service:
        return f"{root}/monitor/api/hosts/{urllib.parse.quote(host, '')}"
    return f"{root}/monitor/api/services/{urllib.parse.quote(service, '')}?hostName={urllib.parse.quote(host, '')}"


def read_date(text):
    """Epoch seconds; None for a blank and for "0"; ValueError for what is no date."""
    text = str(text or "").strip()
    if text in ("", "0"):
        return None
    if re.fullmatch(r"\d+", text):
        return int(text) / 1000
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?[+-]\d\d:?\d\d", text):
        raise ValueError(text)
    return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S" + (".%f" if "." in text else "") + "%z").timestamp()


def write_date(seconds, style):
    if style == "epoch":
        return int(seconds * 1000)
    text = datetime.datetime.fromtimestamp(seconds, datetime.timezone(datetime.timedelta(hours=-7)))
    stamp = text.strftime("%Y-%m-%dT%H:%M:%S.") + f"{text.microsecond // 1000:03d}"
    return stamp + ("-07:00" if style == "colon" else "-0700")


def query(hosts, text):
    """The hosts that a where clause of one comparison names, by name."""
    rows = [host for _, host in sorted(hosts.items())]
    match = re.fullmatch(r"\s*(?:property\.)?(\w+)\s*(=|<>|like)\s*'([^']*)'.*", text or "", re.IGNORECASE)
    if not match:
        return rows
    field, operator, value = match[1].lower(), match[2].lower(), match[3]

    def holds(host):
        fields = {k.lower(): v for k, v in {**host, **host["properties"]}.items()}
        have = str(fields.get("hostname" if field in ("host", "name") else field, ""))
        if operator == "like":
            return re.fullmatch(".*".join(map(re.escape, value.split("%"))), have) is not None
        return (have == value) == (operator == "=")
    return [host for host in rows if holds(host)]
