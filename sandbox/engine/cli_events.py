"""Reads engine events in the CLI's form (`--event-log`) into a recorder; ignores unknown ones."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from atlas_access.review import Change
from sandbox.engine.recorder import Recorder

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""Pulumi's stand-in for a value that is not known before the change is made."""

SIGNATURE = "4dabf18193072939515e22adb298388d"
"""The key by which Pulumi marks a value that is more than it seems, a secret above all."""

_HIDDEN = "[secret]"
_COLOUR = re.compile(r"<\{%[a-z0-9 ]+%\}>")


def hand_on(event: Mapping[str, Any], recorder: Recorder) -> None:
    """Report one event to `recorder`."""
    if body := event.get("resourcePreEvent"):
        metadata = body["metadata"]
        recorder.begun(metadata["op"], metadata["type"], metadata["urn"], tuple(_changes(metadata)))
    elif body := event.get("resOutputsEvent") or event.get("resOpFailedEvent"):
        metadata = body["metadata"]
        recorder.ended(metadata["op"], metadata["type"], metadata["urn"], ok="resOutputsEvent" in event)
    elif body := event.get("diagnosticEvent"):
        recorder.said(
            body.get("severity", ""),
            _COLOUR.sub("", body.get("message", "")),
            body.get("urn", ""),
            passing=bool(body.get("ephemeral")),
        )
    elif body := event.get("policyEvent"):
        message = _COLOUR.sub("", body.get("message", ""))
        level = body.get("enforcementLevel", "")
        recorder.judged(
            body.get("policyName", ""), level, body.get("resourceUrn", ""), message, body.get("severity", "")
        )
    elif body := event.get("errorEvent"):
        recorder.failed(_COLOUR.sub("", body.get("error", "")))


def _changes(metadata: Mapping[str, Any]) -> Iterator[Change]:
    old = (metadata.get("old") or {}).get("inputs") or {}
    new = (metadata.get("new") or {}).get("inputs") or {}
    match metadata["op"]:
        case "same" | "read" | "delete":
            return
        case "create" | "import":
            paths = [path for path in new if not path.startswith("__")]
        case _:
            paths = list(metadata.get("detailedDiff") or {}) or list(metadata.get("diffs") or ())
    for path in sorted(paths):
        change = Change(path, shown(_at(old, path)), shown(_at(new, path)))
        if change.before != change.after or change.before == _HIDDEN:
            yield change


def shown(value: object) -> str | None:
    """A masked value as a plan shows it; None where there is none."""
    if value is None:
        return None
    plain = _plain(value)
    text = plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False, sort_keys=True)
    return text.replace(UNKNOWN, "(known afterwards)")


def _plain(value: object) -> object:
    """A value without Pulumi's signatures: a secret is [secret] and nothing else, and defaults are not listed."""
    if isinstance(value, Mapping):
        if SIGNATURE in value:
            return _HIDDEN
        return {key: _plain(each) for key, each in value.items() if key != "__defaults"}
    return [_plain(each) for each in value] if isinstance(value, list) else value


def _at(values: object, path: str) -> object:
    """The value at a property path such as `tags.owner` or `roles[0].name`; None where it leads nowhere."""
    here = values
    for part in re.findall(r'[^.\[\]"]+', path):
        if isinstance(here, Mapping):
            here = here.get(part)
        elif isinstance(here, list) and part.isdigit() and int(part) < len(here):
            here = here[int(part)]
        else:
            return None
    return here
