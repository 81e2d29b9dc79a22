"""A run's events: frozen records without secrets, each one line of JSON."""

import json
import threading
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import quote

from atlas_access.base import encoded_forms
from sandbox import values


@dataclass(frozen=True)
class PropertyChange:
    """One input before and after, as it may be shown; None where it is not there."""

    property: str
    old: Any = None
    new: Any = None


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
    """A rule of a policy pack that is not met; mandatory ones stop the run, advisory ones are reported."""

    urn: str
    pack: str
    policy: str
    level: str
    message: str


Event = ResourcePlanned | StepDone | Diagnostic | PolicyViolation


def event_to_json(event: Event) -> str:
    """The event as one line of JSON, its kind under "event"."""
    return json.dumps({"event": type(event).__name__, **asdict(event)}, ensure_ascii=False)


def property_changes(old: values.Properties, new: values.Properties) -> tuple[PropertyChange, ...]:
    """Old → new for every top-level property that differs; the dynamic provider's own code is left out."""
    return tuple(
        PropertyChange(key, values.masked(old.get(key)), values.masked(new.get(key)))
        for key in sorted({*old, *new} - {"__provider", "__internal"})
        if (key in old) != (key in new) or values.bare(old.get(key)) != values.bare(new.get(key))
    )


@dataclass
class Mask:
    """Removes every secret text that passed through the run from messages."""

    _forms: dict[str, frozenset[str]] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def learn(self, value: Any) -> None:
        """Remembers the secrets in `value`."""
        for text in values.secret_texts(value):
            if text not in self._forms:
                forms = _forms_of(text)
                with self._lock:
                    self._forms[text] = forms

    def __call__(self, text: str) -> str:
        """`text` with every secret it holds replaced by [secret]."""
        with self._lock:
            known = list(self._forms.values())
        present = {form for forms in known for form in forms if form in text}
        for form in sorted(present, key=len, reverse=True):
            text = text.replace(form, "[secret]")
        return text


def _forms_of(secret: str) -> frozenset[str]:
    """The secret as it may appear: whole, in JSON, URLs and base64, and by line; not texts under 4, lines under 8."""
    lines = (line.strip() for line in secret.splitlines())
    forms = {secret, json.dumps(secret)[1:-1], quote(secret, safe=""), " ".join(secret.split())}
    forms |= {line for line in lines if len(line) > 7} | set(encoded_forms(secret))
    return frozenset(form for form in forms if len(form) > 3)
