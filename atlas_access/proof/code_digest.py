"""A digest of the code that decides a proof, so that a change of it makes every proof stale.

A provider pickled by reference shows no difference when its code changes; this digest does. It must cover every module
whose change could change a verdict, and nothing that varies between machines.
"""

import hashlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path

MODULES = (
    *(
        "atlas_access.privileges.actions",
        "atlas_access.proof.judge_audit_log",
        "atlas_access.privileges.builtin_roles",
        "atlas_access.proof.catalogue",
    ),
    *(
        "atlas_access.proof.catalogue_changes",
        "atlas_access.proof.catalogue_commands",
        "atlas_access.proof.catalogue_data",
    ),
    *(
        "atlas_access.proof.catalogue_server",
        "atlas_access.proof.catalogue_structure",
        "atlas_access.base.connection",
        "atlas_access.base.endpoints",
    ),
    *(
        "atlas_access.proof.compare",
        "atlas_access.proof.evidence",
        "atlas_access.proof.expectations",
        "atlas_access.manifest.model",
        "atlas_access.proof.operation",
    ),
    *(
        "atlas_access.privileges.model",
        "atlas_access.base.redaction",
        "atlas_access.base.redaction_forms",
        "atlas_access.clients.mongo_answers",
    ),
    *(
        "atlas_access.proof.attempt",
        "atlas_access.clients.aws",
        "atlas_access.clients.ecs",
        "atlas_access.clients.errors",
        "atlas_access.clients.logs",
        "atlas_access.clients.lookups",
        "atlas_access.clients.mongo",
        "atlas_access.clients.pipeline",
        "atlas_access.proof.observe_audit_log",
        "atlas_access.proof.run",
        "atlas_access.proof.request",
    ),
    *(
        "atlas_access.clients.cluster_state",
        "atlas_access.proof.inside",
        "atlas_access.proof.renewal",
        "probes.proof",
        "atlas_access.proof.runners",
    ),
    *("atlas_access.proof.task_place", "atlas_access.proof.task_runner"),
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
