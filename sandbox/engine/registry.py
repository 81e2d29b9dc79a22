"""Finds a resource's provider: running ones by port, the dynamic host, the builtin one; default and explicit.

A provider is known by its reference, `<urn of its resource>::<id>`.
"""

import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sandbox.engine import hosts
from sandbox.engine.builtin import Builtin, ProviderResources
from sandbox.engine.client import DYNAMIC, Client
from sandbox.engine.provider import Provider, ProviderFailed
from sandbox.engine.request import EngineRequest
from sandbox.engine.state import Resource

TYPE_PREFIX = "pulumi:providers:"


@dataclass
class Registry:
    """The providers of one run."""

    request: EngineRequest
    engine: str
    builtin: Builtin
    learn: Callable[[Any], None]
    on_line: Callable[[str], None]
    olds: tuple[Resource, ...] = ()
    _ready: dict[str, Provider] = field(default_factory=dict)
    _clients: list[Client] = field(default_factory=list)
    _host: hosts.Host | None = None
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def client(self, package: str) -> Client:
        """A new connection to the provider of `package`; raises ProviderFailed if none runs."""
        if package == DYNAMIC:
            address = self.dynamic().address()
        elif package in self.request.provider_ports:
            address = f"127.0.0.1:{self.request.provider_ports[package]}"
        else:
            known = ", ".join(sorted(self.request.provider_ports)) or "none"
            raise ProviderFailed(f"no provider for package {package} runs in the sandbox (running: {known})")
        # The dynamic host carries whole rollouts out; what is emulated answers soon, or not at all.
        seconds = self.request.call_seconds if package == DYNAMIC else self.request.answer_seconds
        client = Client(package, address, seconds, self.learn)
        with self._lock:
            self._clients.append(client)
        return client

    def dynamic(self) -> hosts.Host:
        """The dynamic host, started when first asked for."""
        with self._lock:
            if self._host is None:
                environment = {**self.request.host_environment(), "PULUMI_PROJECT": self.request.project}
                command = [sys.executable, "-u", "-m", "sandbox.engine.start", "pulumi.dynamic", self.engine]
                self._host = hosts.Host(
                    "the dynamic host", command, environment, self.request.program_dir, self.on_line
                )
            return self._host

    def for_type(self, resource: Resource) -> Provider:
        """A provider for a provider resource, unconfigured."""
        package = resource.type.removeprefix(TYPE_PREFIX)
        client = None if package == "pulumi" else self.client(package)
        return ProviderResources(client, lambda made: self.keep(made, client or self.builtin))

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

    def close(self) -> None:
        """Ends the dynamic host and the connections."""
        with self._lock:
            for client in self._clients:
                client.close()
            if self._host is not None:
                self._host.stop()
