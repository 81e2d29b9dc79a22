"""A digest of the code that decides a proof, so that a change of it makes every proof stale.

A provider pickled by reference shows no difference when its code changes; this digest does. It must cover every module
whose change could change a verdict, and nothing that varies between machines.
"""

import hashlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path

MODULES = (
    *("access.actions", "access.audit_log", "access.builtin_roles", "access.catalogue"),
    *("access.catalogue_changes", "access.catalogue_commands", "access.catalogue_data"),
    *("access.catalogue_server", "access.catalogue_structure", "access.connection", "access.endpoints"),
    *(
        "access.equality",
        "access.evidence",
        "access.expectations",
        "access.manifest_model",
        "access.operation",
    ),
    *("access.privileges", "access.redaction", "access.redaction_forms", "access.verdict"),
    *(
        "probes.attempt",
        "probes.aws",
        "probes.mongo",
        "probes.pipeline",
        "probes.presence",
        "probes.prove",
        "probes.request",
    ),
    *("probes.cluster_state", "probes.inside", "probes.renewal", "probes.resource", "probes.runners"),
    *("probes.task_place", "probes.task_runner"),
)


@cache
def code_digest() -> str:
    """SHA-256 (hex) of the modules' names and sources; line ends do not count."""
    total = hashlib.sha256()
    for name in MODULES:
        spec = find_spec(name)
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError(f"{name} is not installed: install the project with `make install`")
        source = Path(spec.origin).read_bytes().replace(b"\r\n", b"\n")
        total.update(name.encode() + b"\0" + hashlib.sha256(source).digest())
    return total.hexdigest()
