"""When a planned outage is, as NMIS reads and evaluates it: the formats of `start` and `end`, and whether an outage is current.

Everything civil is in the server's own zone. With `quirks` the core's surprising answers are kept: a day of the month that
a month does not have, and a local time that a change of the clocks skips, end the whole check in an error.
"""

import calendar
import datetime
import re

FREQUENCIES = ("once", "daily", "weekly", "monthly")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FREE_FORMS = ("%d-%b-%Y %H:%M:%S", "%d-%b-%Y %H:%M", "%d-%b-%Y", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%Y")
UTC = datetime.timezone.utc
ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d+)?(Z|[+-]\d\d(?::?\d\d)?)?")
CLOCK = r"(\d{1,2}):(\d\d)(?::(\d\d))?$"


class Invalid(Exception):
    pass


def once(value, zone, now):
    """Epoch seconds of a `once` argument: a number, ISO (not anchored at its end), or a free form in local time."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return int(value)
    text = str(value).strip()
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return int(float(text))
    if match := ISO.match(text):
        return _iso(match, zone)
    return _free_form(text.lower(), zone, now)


def _iso(match, zone):
    try:
        naive = datetime.datetime(*(int(match[i]) for i in range(1, 7)))
    except ValueError:
        raise Invalid from None
    offset = match[7]
    if not offset:
        return int(naive.replace(tzinfo=zone).timestamp())
    if offset == "Z":
        return int(naive.replace(tzinfo=UTC).timestamp())
    digits = offset[1:].replace(":", "")
    minutes = int(digits[:2]) * 60 + int(digits[2:] or 0)
    shift = datetime.timedelta(minutes=minutes if offset[0] == "+" else -minutes)
    return int((naive - shift).replace(tzinfo=UTC).timestamp())


def _free_form(text, zone, now):
    offset = datetime.datetime.fromtimestamp(now, zone).utcoffset()  # the one valid now, whatever the date
    here = datetime.datetime.fromtimestamp(now, UTC).replace(tzinfo=None) + offset
    if text == "now":
        return int(now)
    if text in ("today", "tomorrow"):
        day = here.replace(hour=0, minute=0, second=0) + datetime.timedelta(days=text == "tomorrow")
        return int((day - offset).replace(tzinfo=UTC).timestamp())
    if match := re.fullmatch(r"now\s*([+-])\s*(\d+)\s*(minute|hour|day|week)s?", text):
        step = datetime.timedelta(**{match[3] + "s": int(match[2])}).total_seconds()
        return int(now + (step if match[1] == "+" else -step))
    for form in FREE_FORMS:
        try:
            local = datetime.datetime.strptime(text, form)
        except ValueError:
            continue
        return int((local - offset).replace(tzinfo=UTC).timestamp())
    raise Invalid


def recurring(frequency, text):
    """(which day or None, seconds of the day) of a recurring argument."""
    before = {"daily": "()", "weekly": r"([A-Za-z]{3,})\s+", "monthly": r"(-?\d+)\s+"}[frequency]
    match = re.match(before + CLOCK, str(text).strip())
    if not match:
        raise Invalid
    hour, minute, second = int(match[2]), int(match[3]), int(match[4] or 0)
    if minute > 59 or second > 59 or hour > 24 or (hour == 24 and (minute or second)):
        raise Invalid
    day = None
    if frequency == "weekly":
        if match[1][:3].lower() not in WEEKDAYS:
            raise Invalid
        day = WEEKDAYS.index(match[1][:3].lower())
    elif frequency == "monthly":
        day = int(match[1])
        if not -31 <= day <= 31:
            raise Invalid
    return day, hour * 3600 + minute * 60 + second


def civil(frequency, text, near, quirks=False):
    """The local time, without a zone, that `text` names in the day, week or month of `near` (the same)."""
    day, seconds = recurring(frequency, text)
    midnight = near.replace(hour=0, minute=0, second=0, microsecond=0)
    if frequency == "weekly":
        midnight += datetime.timedelta(days=day - midnight.weekday())
    elif frequency == "monthly":
        midnight = _month_day(midnight, day, quirks)
    return midnight + datetime.timedelta(seconds=seconds)


def _month_day(near, day, quirks):
    length = calendar.monthrange(near.year, near.month)[1]
    if quirks and day > length:
        raise Invalid
    if quirks and day < -length:
        return near.replace(day=1) + datetime.timedelta(days=length + day)  # spills into the month before
    if day < 0:
        return near.replace(day=max(1, length + 1 + day))
    if day == 0:
        return near.replace(day=1) + datetime.timedelta(days=length)
    return near.replace(day=min(day, length))


def _moved(near, frequency, steps):
    if frequency == "daily":
        return near + datetime.timedelta(days=steps)
    if frequency == "weekly":
        return near + datetime.timedelta(days=7 * steps)
    month = near.year * 12 + near.month - 1 + steps
    return near.replace(year=month // 12, month=month % 12 + 1, day=1)


def to_epoch(local, zone, end, quirks=False):
    """A skipped local time is moved on by the gap, of two equal ones the start takes the first and the end the second.
    The core: a skipped one is an error, of two the second."""
    aware = local.replace(tzinfo=zone, fold=1 if quirks or end else 0)
    there = aware.astimezone(UTC)
    if there.astimezone(zone).replace(tzinfo=None) != local:
        if quirks:
            raise Invalid
        there = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    return int(there.timestamp())


def state(outage, at, zone, quirks=False):
    """(`past` | `current` | `future`, start, end) of an outage at the whole second `at`."""
    frequency = outage["frequency"]
    if frequency == "once":
        start, end = outage["start"], outage["end"]
        return ("future" if at < start else "current" if at <= end else "past"), start, end
    here = datetime.datetime.fromtimestamp(at, zone).replace(tzinfo=None)
    nearest = None
    for steps in (-1, 0, 1, 2):
        near = _moved(here, frequency, steps) if steps or frequency != "monthly" else here.replace(day=1)
        start, end = _window(outage, near, frequency, zone, quirks)
        if start <= at <= end:
            return "current", start, end
        if at < start and (nearest is None or start < nearest[0]):
            nearest = (start, end)
    return "future", *nearest


def _window(outage, near, frequency, zone, quirks):
    start, end = (civil(frequency, outage[name], near, quirks) for name in ("start", "end"))
    if start > end:
        start = civil(frequency, outage["start"], _moved(near, frequency, -1), quirks)
    return to_epoch(start, zone, False, quirks), to_epoch(end, zone, True, quirks)


def checked(frequency, start, end, zone, now):
    """(start, end) as they are kept: epochs of `once`, else the texts. Invalid carries the server's words."""
    if frequency not in FREQUENCIES:
        raise Invalid(f'invalid frequency "{frequency}"!')
    kept = []
    for name, value in (("start", start), ("end", end)):
        try:
            if value is None or value == "":
                raise Invalid
            if frequency == "once":
                kept.append(once(value, zone, now))
                continue
            here = datetime.datetime.fromtimestamp(now, zone).replace(tzinfo=None)
            civil(frequency, value, here.replace(day=1) if frequency == "monthly" else here, quirks=True)
            kept.append(str(value))
        except Invalid:
            raise Invalid(f'invalid {name} argument "{value if value is not None else ""}" '
                          f"for frequency {frequency}!") from None
    if frequency == "once" and not kept[0] < kept[1]:
        raise Invalid("invalid times, start is later than end!")
    return kept
