"""A small deployment engine for the sandbox, for machines without a `pulumi` CLI (see docs/adr/0001).

It speaks Pulumi's gRPC protocol to the program, the providers, the dynamic host and policy packs, and keeps its state
in Pulumi's deployment format, version 3. It does what this product's program uses, exactly; anything else is refused.
It must never reach beyond loopback, and never write a secret in plaintext.

    result = run(EngineRequest(operation="up", ...))
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.engine.events import (
        Diagnostic,
        Event,
        PolicyViolation,
        PropertyChange,
        ResourcePlanned,
        StepDone,
        Summary,
        event_to_json,
    )
    from sandbox.engine.request import EngineRefused, EngineRequest, EngineResult
    from sandbox.engine.runner import export_state, import_state, run
    from sandbox.engine.values import Secret

_HOMES = {
    "runner": ("run", "export_state", "import_state"),
    "request": ("EngineRefused", "EngineRequest", "EngineResult"),
    "values": ("Secret",),
    "events": (
        "Diagnostic",
        "Event",
        "PolicyViolation",
        "PropertyChange",
        "ResourcePlanned",
        "StepDone",
        "Summary",
        "event_to_json",
    ),
}
__all__ = [
    "Diagnostic",
    "EngineRefused",
    "EngineRequest",
    "EngineResult",
    "Event",
    "PolicyViolation",
    "PropertyChange",
    "ResourcePlanned",
    "Secret",
    "StepDone",
    "Summary",
    "event_to_json",
    "export_state",
    "import_state",
    "run",
]


def __getattr__(name: str) -> Any:
    # Loaded when asked for: the process that runs a program imports this package and needs none of it.
    import importlib

    for home, names in _HOMES.items():
        if name in names:
            module = importlib.import_module(f"sandbox.engine.{home}")
            return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
