"""One drift check: everything that is to be read, at once; the comparison; and, only if it found something, the events.

Nothing is written. What cannot be read becomes an `Unread`, which the comparison turns into the answer.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from atlas_access.base import Endpoints, Unread, What
from atlas_access.clients import Atlas, Retry, SignIn, read_or_unread
from atlas_access.drift.compare import attributed, compare
from atlas_access.drift.finding import Drift
from atlas_access.drift.model import NotReached, Observed, ObservedCollections
from atlas_access.drift.observe_account import read_account
from atlas_access.drift.observe_collections import list_collections
from atlas_access.drift.wanted import Wanted


def observe_stack(wanted: Wanted, sign_in: SignIn, endpoints: Endpoints, retry: Retry | None = None) -> Drift:
    """Check one stack. Raises nothing but `EndpointRefused`."""
    settings, rules = wanted.settings, wanted.inventory
    names = (*rules.wanted_secrets, *rules.legacy_secrets)
    with (
        ThreadPoolExecutor(max_workers=2) as pool,
        Atlas(settings.atlas_project_id, sign_in, endpoints, retry) as atlas,
    ):
        account = pool.submit(read_account, settings, names, endpoints, wanted.inventory.greatest_ages)
        listed = pool.submit(read_collections, wanted, endpoints)
        users, roles = read_or_unread(atlas.users), read_or_unread(atlas.roles)
        cluster = read_or_unread(lambda: atlas.cluster(settings.atlas_cluster))
        ends = read_end(wanted, atlas) if sign_in.service_account else None
        read = account.result()
        observed = Observed(
            users, roles, cluster, read.key, read.secrets, read.tasks, listed.result(), read.other_tasks, ends
        )
        drift = compare(wanted, observed)
        if any(finding.target is not None for finding in drift.findings):
            drift = attributed(drift, read_or_unread(atlas.events))
    return drift


def read_end(wanted: Wanted, atlas: Atlas) -> datetime | NotReached | None:
    """When the service account's secret expires: as Atlas says, else as a person has stated."""
    found = read_or_unread(atlas.credentials)
    if not isinstance(found, Unread):
        return found.ends
    stated = wanted.settings.acknowledged(What.SERVICE_ACCOUNT_ENDS)
    if stated is None:
        return NotReached(
            "the end of the service account's secret", f"{found.why}; acknowledge service-account-ends"
        )
    return datetime.fromisoformat(stated.value).replace(tzinfo=UTC)


def read_collections(wanted: Wanted, endpoints: Endpoints) -> ObservedCollections | Unread | NotReached:
    """List the cluster's collections as its reader, unless nobody is to."""
    what = f"collections of {wanted.settings.atlas_cluster}"
    if wanted.settings.drift_without_collections:
        return NotReached(what, "driftWithoutCollections is set")
    binding = wanted.reader
    if binding is None:
        return NotReached(what, "no service binding of access.yaml may list them")
    return list_collections(
        binding.user,
        wanted.manifest.database,
        binding.secret_name,
        region=wanted.settings.aws_region,
        endpoints=endpoints,
        views=bool(wanted.manifest.view_families),
    )
