"""Engine events in Pulumi's own JSON form, turned into the records of a deployment as they arrive.

Source of the form: Pulumi's engine events (`--event-log`, one JSON object a line). It must never show what the engine
did not mask, and never fail on an event it does not know.
"""

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from access.redaction import redact
from reports.deployment import Change, Moment, Progress, Step

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""Pulumi's stand-in for a value that is not known before the change is made."""

_OPERATIONS = {
    "create-replacement": "replace",
    "import-replacement": "replace",
    "read-replacement": "read",
}
_HALVES = frozenset({"replace", "delete-replaced", "discard", "discard-replaced", "remove-pending-replace"})
"""Steps that are parts of a replacement, told once by its creating half."""

_COLOUR = re.compile(r"<\{%[a-z0-9 ]+%\}>")


class Recorder:
    """Collects the events of one run: the steps in order of completion, and what was said as an error."""

    def __init__(self, on_progress: Callable[[Progress], None], secrets: tuple[str, ...] = ()) -> None:
        self.steps: list[Step] = []
        self.errors: list[str] = []
        self._tell = on_progress
        self._secrets = secrets
        self._began: dict[str, float] = {}

    def take(self, event: Mapping[str, Any]) -> None:
        """Take one event."""
        if body := event.get("resourcePreEvent"):
            self._begun(body["metadata"])
        elif body := event.get("resOutputsEvent"):
            self._ended(body["metadata"], failed=False)
        elif body := event.get("resOpFailedEvent"):
            self._ended(body["metadata"], failed=True)
        elif body := event.get("diagnosticEvent"):
            self._said(body)
        elif body := event.get("errorEvent"):
            self.errors.append(self._clean(body.get("error", "")))

    def _begun(self, metadata: Mapping[str, Any]) -> None:
        self._began[metadata["urn"]] = time.monotonic()
        step = _step(metadata)
        if step is not None:
            self._tell(Progress(Moment.BEGUN, step))

    def _ended(self, metadata: Mapping[str, Any], *, failed: bool) -> None:
        began = self._began.get(metadata["urn"])
        took = None if began is None else time.monotonic() - began
        step = _step(metadata, seconds=took, failed=failed)
        if step is not None:
            self.steps.append(step)
            self._tell(Progress(Moment.FAILED if failed else Moment.DONE, step))

    def _said(self, body: Mapping[str, Any]) -> None:
        text = self._clean(body.get("message", ""))
        if not text:
            return
        if body.get("severity") == "error":
            self.errors.append(text)
        if body.get("severity") in {"error", "warning", "info"}:
            urn = body.get("urn", "")
            step = Step("same", _type(urn), _name(urn)) if urn else None
            self._tell(Progress(Moment.SAID, step, text))

    def _clean(self, text: str) -> str:
        return redact(_COLOUR.sub("", text), self._secrets).strip()


def _step(metadata: Mapping[str, Any], *, seconds: float | None = None, failed: bool = False) -> Step | None:
    """One resource's step; None for what is none of the cloud's: components, providers, halves of a replacement."""
    kind: str = metadata["type"]
    state = metadata.get("new") or metadata.get("old") or {}
    operation: str = metadata["op"]
    if operation in _HALVES or not state.get("custom") or kind.startswith("pulumi:"):
        return None
    return Step(
        operation=_OPERATIONS.get(operation, operation),
        type=kind,
        name=_name(metadata["urn"]),
        changes=tuple(_changes(metadata)),
        seconds=seconds,
        failed=failed,
    )


def _changes(metadata: Mapping[str, Any]) -> Iterator[Change]:
    old = (metadata.get("old") or {}).get("inputs") or {}
    new = (metadata.get("new") or {}).get("inputs") or {}
    operation = metadata["op"]
    if operation in {"create", "import"}:
        paths = [path for path in new if not path.startswith("__")]
    elif operation in {"same", "read", "delete"}:
        paths = []
    else:
        detailed = metadata.get("detailedDiff") or {}
        paths = list(detailed) or list(metadata.get("diffs") or ())
    for path in sorted(paths):
        before, after = _shown(_at(old, path)), _shown(_at(new, path))
        if operation in {"create", "import"} or before != after:
            yield Change(path, None if operation == "create" else before, after)


def _at(values: object, path: str) -> object:
    """The value at a property path such as `tags.owner` or `roles[0].name`; None where it leads nowhere."""
    here = values
    for dotted, index, quoted in re.findall(r'([^.\[\]"]+)|\[(\d+)\]|\["([^"]*)"\]', path):
        if isinstance(here, Mapping):
            here = here.get(dotted or quoted or index)
        elif isinstance(here, list) and (index or dotted).isdigit() and int(index or dotted) < len(here):
            here = here[int(index or dotted)]
        else:
            return None
    return here


def _shown(value: object) -> str | None:
    if value is None:
        return None
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text.replace(UNKNOWN, "(known afterwards)")


def _type(urn: str) -> str:
    return urn.split("::")[2].rpartition("$")[2] if urn.count("::") >= 3 else ""


def _name(urn: str) -> str:
    return urn.split("::", 3)[3] if urn.count("::") >= 3 else urn
