"""Finds a resource's provider: running ones by port, dynamic ones, the builtin one; default and explicit.

A provider is known by its reference, `<urn of its resource>::<id>`.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sandbox.engine import dynamic
from sandbox.engine.builtin import Builtin, ProviderResources
from sandbox.engine.client import Client
from sandbox.engine.provider import Provider, ProviderFailed
from sandbox.engine.request import EngineRequest
from sandbox.engine.state import Resource

TYPE_PREFIX = "pulumi:providers:"


@dataclass
class Registry:
    """The providers of one run."""

    request: EngineRequest
    learn: Callable[[Any], None]
    olds: tuple[Resource, ...] = ()
    _ready: dict[str, Provider] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def client(self, package: str) -> Client | dynamic.Dynamic:
        """The provider of `package`, not yet configured; raises ProviderFailed if none runs."""
        if package == dynamic.PACKAGE:
            return dynamic.Dynamic(self.request.project, self.learn)
        ports = self.request.provider_ports
        if package not in ports:
            known = ", ".join(sorted(ports)) or "none"
            raise ProviderFailed(f"no provider for package {package} runs in the sandbox (running: {known})")
        return Client(package, f"127.0.0.1:{ports[package]}", self.request.call_seconds, self.learn)

    def for_type(self, resource: Resource) -> Provider:
        """A provider for a provider resource, unconfigured."""
        package = resource.type.removeprefix(TYPE_PREFIX)
        client = None if package == "pulumi" else self.client(package)
        return ProviderResources(client, lambda made: self.keep(made, client or Builtin(self.request)))

    def keep(self, resource: Resource, provider: Provider) -> None:
        """Makes a configured provider known by the reference of its resource."""
        with self._lock:
            self._ready[f"{resource.urn}::{resource.id}"] = provider

    def get(self, reference: str) -> Provider:
        """The configured provider of that reference, readied from its record if need be; raises ProviderFailed."""
        with self._lock:
            if reference not in self._ready:
                found = next((item for item in self.olds if f"{item.urn}::{item.id}" == reference), None)
                if found is None:
                    raise ProviderFailed(f"provider {reference} is not known to this run")
                self.for_type(found).update(found, found, dry_run=False)
            return self._ready[reference]
