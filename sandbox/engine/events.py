"""A run's events in the form of the CLI's `--event-log`, so that one reader serves both; without secrets."""

import json
import threading
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import quote

from atlas_access.base import encoded_forms
from sandbox.engine import values
from sandbox.engine.values import Properties

Event: TypeAlias = dict[str, dict[str, Any]]


def planned(
    op: str, kind: str, urn: str, old: Properties | None = None, new: Properties | None = None
) -> Event:
    """A step that is about to be taken, or would be in a preview, with the top-level properties that differ.

    The dynamic provider's own code is left out.
    """
    before, after = old or {}, new or {}
    differing = sorted(
        key
        for key in {*before, *after} - {"__provider", values.INTERNAL}
        if (key in before) != (key in after) or values.bare(before.get(key)) != values.bare(after.get(key))
    )
    shown = [
        {"inputs": {key: values.masked(side[key]) for key in differing if key in side}}
        for side in (before, after)
    ]
    metadata = {"op": op, "type": kind, "urn": urn, "old": shown[0], "new": shown[1], "diffs": differing}
    return {"resourcePreEvent": {"metadata": metadata}}


def done(op: str, kind: str, urn: str, *, ok: bool) -> Event:
    """How a step ended; why it failed is said beside it."""
    return {
        "resOutputsEvent" if ok else "resOpFailedEvent": {"metadata": {"op": op, "type": kind, "urn": urn}}
    }


def said(severity: str, message: str, urn: str = "", *, ephemeral: bool = False) -> Event:
    """A message of the program, a provider or the engine: info, warning or error. Ephemeral: a status line."""
    return {"diagnosticEvent": {"severity": severity, "message": message, "urn": urn, "ephemeral": ephemeral}}


def violated(policy: str, level: str, urn: str, message: str) -> Event:
    """A rule of a policy pack that is not met; mandatory ones stop the run, advisory ones are reported."""
    return {
        "policyEvent": {
            "policyName": policy,
            "enforcementLevel": level,
            "resourceUrn": urn,
            "message": message,
        }
    }


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
