"""What a run tells while it runs: frozen records, each of which is one line of JSON.

Must never carry a secret: property values arrive masked, and texts pass through `Mask` first.
"""

import json
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from access.redaction import redact
from sandbox import values


@dataclass(frozen=True)
class PropertyChange:
    """One input before and after, as it may be shown; `kind` is add, update or delete."""

    property: str
    kind: str
    old: Any = None
    new: Any = None
    replaces: bool = False


@dataclass(frozen=True)
class ResourcePlanned:
    """A step that is about to be taken, or would be in a preview, with the properties that differ."""

    urn: str
    type: str
    op: str
    changes: tuple[PropertyChange, ...] = ()


@dataclass(frozen=True)
class StepDone:
    """How a step ended; `error` is one line and empty when `ok`."""

    urn: str
    type: str
    op: str
    ok: bool
    milliseconds: float
    error: str = ""


@dataclass(frozen=True)
class Diagnostic:
    """A message of the program, a provider or the engine: debug, info, warning or error. Ephemeral: a status line."""

    severity: str
    message: str
    urn: str = ""
    ephemeral: bool = False


@dataclass(frozen=True)
class PolicyViolation:
    """A rule of a policy pack that is not met; mandatory ones stop the run, advisory ones are told."""

    urn: str
    pack: str
    policy: str
    level: str
    message: str


@dataclass(frozen=True)
class Summary:
    """The end of a run: how many resources by operation, and how long it took, in seconds."""

    ok: bool
    changes: Mapping[str, int]
    duration: float
    error: str = ""


Event = ResourcePlanned | StepDone | Diagnostic | PolicyViolation | Summary


def event_to_json(event: Event) -> str:
    """The event as one line of JSON, its kind under "event"."""
    return json.dumps({"event": type(event).__name__, **asdict(event)}, ensure_ascii=False)


def property_changes(
    old: values.Properties, new: values.Properties, replaces: tuple[str, ...] = ()
) -> tuple[PropertyChange, ...]:
    """Old → new for every top-level property that differs; the dynamic provider's own code is left out."""
    changes = []
    for key in sorted({*old, *new} - {"__provider", "__internal"}):
        before, after = values.masked(old.get(key)), values.masked(new.get(key))
        if key not in new:
            changes.append(PropertyChange(key, "delete", before, replaces=key in replaces))
        elif key not in old:
            changes.append(PropertyChange(key, "add", None, after, key in replaces))
        elif values.bare(old[key]) != values.bare(new[key]):
            changes.append(PropertyChange(key, "update", before, after, key in replaces))
    return tuple(changes)


@dataclass
class Mask:
    """Knows every secret text that passed through the run, and takes it out of messages, however it is encoded."""

    _texts: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def learn(self, value: Any) -> None:
        """Remembers the secrets in `value`: whole, by line and as one line, as hosts and reports may tell them."""
        for text in values.secret_texts(value):
            with self._lock:
                self._texts |= {text, " ".join(text.split()), *map(str.strip, text.splitlines())}

    def __call__(self, text: str) -> str:
        """`text` without secrets (see `access.redaction.redact`)."""
        with self._lock:
            known = tuple(self._texts)
        return redact(text, known)
