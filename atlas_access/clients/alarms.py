"""CloudWatch alarms by their names: in order, in alarm, or unknown. What cannot be read is unknown, never in order.

CloudWatch API, DescribeAlarms: StateValue is OK, ALARM or INSUFFICIENT_DATA; a name that is not there is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from atlas_access.base import Endpoints, one_line, redact
from atlas_access.clients.aws import client, pages
from atlas_access.clients.errors import AwsUnavailable

if TYPE_CHECKING:
    from botocore.session import Session

MISSING = "no alarm of this name in this account and region"
NO_DATA = "INSUFFICIENT_DATA; where no data means no error, let the alarm treat missing data as notBreaching"
_SHOWN = 200


@dataclass(frozen=True)
class Alarm:
    """One alarm: `ok` is None where it is unknown; `why` is its state and CloudWatch's reason for it."""

    name: str
    ok: bool | None
    why: str

    def __str__(self) -> str:
        return f"alarm {self.name}: {'unknown: ' if self.ok is None else ''}{self.why}"


def alarms_now(
    names: Sequence[str], region: str, endpoints: Endpoints, session: Session | None = None
) -> tuple[Alarm, ...]:
    """The alarms of these names, in that order, each unknown where AWS gave no answer."""
    if not names:
        return ()
    try:
        asked = client("cloudwatch", region, endpoints, session=session).describe_alarms
        kinds = ["MetricAlarm", "CompositeAlarm"]
        found = {
            str(each["AlarmName"]): each
            for page in pages(asked, "MetricAlarms", AlarmNames=list(names), AlarmTypes=kinds)
            for each in (*page.get("MetricAlarms", ()), *page.get("CompositeAlarms", ()))
        }
    except AwsUnavailable as error:
        return tuple(Alarm(name, None, str(error)) for name in names)
    return tuple(
        Alarm(name, *_state(str(found[name].get("StateValue", "")), str(found[name].get("StateReason", ""))))
        if name in found
        else Alarm(name, None, MISSING)
        for name in names
    )


def _state(state: str, reason: str) -> tuple[bool | None, str]:
    if state == "ALARM":
        return False, f"ALARM: {one_line(redact(reason), _SHOWN)}" if reason else "ALARM"
    return (True, "OK") if state == "OK" else (None, NO_DATA if state == "INSUFFICIENT_DATA" else state)
