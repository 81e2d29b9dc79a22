"""Decides which of a cluster's addresses a connection string is built on.

Atlas gives a cluster SRV, standard and private-endpoint connection strings (Atlas Admin API, ClusterDescription
`connectionStrings`). An address that is missing is an error here, never a reason to take another one: that silent
fall-back once broke a service.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Address(StrEnum):
    """By which address a cluster is reached: its public one, or its private endpoint (ADR 0004)."""

    PUBLIC = "public"
    PRIVATE = "private"


class AddressForm(StrEnum):
    """Whether a connection string names one DNS record (`srv`) or every host (`standard`)."""

    SRV = "srv"
    STANDARD = "standard"


class AddressMissing(LookupError):
    """The cluster has no such address; the message names the cluster, the address and the remedy."""


@dataclass(frozen=True)
class PrivateEndpoint:
    """One private endpoint's connection strings, as Atlas lists them; empty where Atlas gives none."""

    standard: str
    srv: str


@dataclass(frozen=True)
class ClusterAddresses:
    """The connection strings of one cluster, without credentials; empty where Atlas gives none."""

    cluster: str
    standard: str
    srv: str
    private_endpoints: tuple[PrivateEndpoint, ...]

    def base(self, address: Address, form: AddressForm) -> str:
        """The connection string to compose upon.

        Raises:
            AddressMissing: the cluster lacks that address, or has several private endpoints to choose from.
        """
        if address is Address.PUBLIC:
            found = self.srv if form is AddressForm.SRV else self.standard
            where = "public address"
        else:
            found = self._private(form)
            where = "private endpoint"
        if not found:
            raise AddressMissing(
                f"cluster {self.cluster} has no {form} connection string for its {where}. "
                f"{_REMEDY[address]}, or set atlas-access:addressForm to the form that Atlas offers."
            )
        return found

    def _private(self, form: AddressForm) -> str:
        if len(self.private_endpoints) > 1:
            raise AddressMissing(
                f"cluster {self.cluster} has {len(self.private_endpoints)} private endpoints and access.yaml "
                "names none of them. Remove those that are not in use."
            )
        if not self.private_endpoints:
            return ""
        endpoint = self.private_endpoints[0]
        return endpoint.srv if form is AddressForm.SRV else endpoint.standard


_REMEDY = {
    Address.PUBLIC: "Wait until Atlas has made the cluster",
    Address.PRIVATE: "Have the private endpoint accepted in Atlas (ADR 0004)",
}
