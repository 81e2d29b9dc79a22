"""Both environments' running services: balanced addresses, tasks as processes, HubSpot and the sent mail."""

import json
import re
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from moto.secretsmanager.models import secretsmanager_backends
from moto.ses.models import ses_backends

from sandbox.app.hubspot import HubSpot
from sandbox.control import Site
from sandbox.ecs.agent import EcsAgent
from sandbox.ecs.balancer import Balancer
from sandbox.ecs.containers import Containers, Place, Witness
from sandbox.inventory import Inventory, InventoryEnvironment
from sandbox.world import SandboxError

_HOME = Path(__file__).resolve().parents[2]
_SETTLING_SECONDS = 45.0
_PAUSE = 0.02


class ServicePart:
    """Starts empty addresses at once; tasks appear behind them when the agent starts them."""

    def __init__(self, environments: Mapping[str, InventoryEnvironment], witness: Witness) -> None:
        self._environments = environments
        self._balancers = {name: Balancer() for name in environments}
        self._containers = Containers(_HOME, witness)

    @property
    def urls(self) -> dict[str, str]:
        """The service's address by environment."""
        return {name: balancer.url for name, balancer in self._balancers.items()}

    def listen(self, ports: Mapping[str, int]) -> None:
        """Listen at each environment's port (0 for a free one). Raises `OSError` for one in use."""
        for name, balancer in self._balancers.items():
            balancer.start(ports[name])

    def run_tasks(self, agent: EcsAgent, overlays: Mapping[str, Mapping[str, str]]) -> None:
        """Let the agent run tasks as processes, with each environment's overlay of addresses."""
        for name, here in self._environments.items():
            self._containers.places[here.account] = Place(self._balancers[name], overlays[name])
        agent.runtime = self._containers

    def balanced(self, target: str) -> tuple[int, str]:
        """Answer `GET /ENVIRONMENT?seconds=N` with how many requests failed at its address in the last N seconds."""
        name, wanted = _asked(target, "seconds")
        balancer = self._balancers.get(name)
        if balancer is None or not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", wanted):
            return 400, json.dumps({"error": "ask for /staging?seconds=60 or /prod?seconds=60"})
        return 200, json.dumps({"failed": balancer.failed(float(wanted))})

    def stop(self) -> None:
        """End every task and stop listening."""
        for balancer in self._balancers.values():
            balancer.stop()
        self._containers.stop()


def _asked(target: str, parameter: str) -> tuple[str, str]:
    url = urlsplit(target)
    return url.path.strip("/"), (parse_qs(url.query).get(parameter) or [""])[0]


def settle(agent: EcsAgent) -> None:
    """Step until every service is steady. Raises `SandboxError` when one does not become so."""
    deadline = time.monotonic() + _SETTLING_SECONDS
    while not agent.steady():
        if time.monotonic() > deadline:
            raise SandboxError(
                "the service's tasks did not become healthy: `atlas-access sandbox logs` says more, then try again"
            )
        agent.step()
        if not agent.steady():
            time.sleep(_PAUSE)


def sites(inventory: Inventory, part: ServicePart) -> dict[str, Site]:
    """Return what answers beside the service: HubSpot, the list of sent mail, and what failed at its addresses."""
    return {
        "balanced": lambda _method, target, _key, _body: part.balanced(target),
        "hubspot": hubspot(inventory).answer,
        "mail": lambda _method, target, _key, _body: sent_mail(inventory, target),
    }


def hubspot(inventory: Inventory) -> HubSpot:
    """Return a HubSpot whose tokens are those that each account's Secrets Manager holds."""

    def portal_of(token: str) -> str | None:
        for here in inventory.environments:
            name = inventory.ecs.other_secret.name.replace("{env}", here.name)
            store = secretsmanager_backends[here.account][here.region].secrets
            held = [
                version.get("secret_string")
                for secret in list(dict.values(store))
                if secret.name == name
                for version in secret.versions.values()
            ]
            if token and token in held:
                return here.name
        return None

    return HubSpot(portal_of)


def sent_mail(inventory: Inventory, target: str) -> tuple[int, str]:
    """Answer `GET /ENVIRONMENT?to=ADDRESS` with the mails that SES sent to an address, their text left out."""
    name, wanted = _asked(target, "to")
    here = inventory.by_name.get(name)
    if here is None or not wanted:
        return 400, json.dumps({"error": "ask for /staging?to=ADDRESS or /prod?to=ADDRESS"})
    found = [
        {"id": message.id, "from": message.source, "subject": message.subject}
        for message in list(ses_backends[here.account][here.region].sent_messages)
        if wanted in (message.destinations or {}).get("ToAddresses", ())
    ]
    return 200, json.dumps({"messages": found})
