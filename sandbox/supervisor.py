"""Starts and stops every part of a sandbox in this process; a failed start leaves nothing running."""

import logging
import secrets
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from sandbox import processes
from sandbox.atlas.part import AtlasPart
from sandbox.chance import Chance
from sandbox.control import Control
from sandbox.inventory import Inventory
from sandbox.mongod import seed
from sandbox.mongod.busy_clients import BusyClients
from sandbox.mongod.forwarder import Forwarder
from sandbox.mongod.process import MongodProcess, find_mongod
from sandbox.ports import HOST
from sandbox.world import ENVIRONMENTS, Environment, Mongod, Options, World, overlay

if TYPE_CHECKING:
    from sandbox.ecs.agent import EcsAgent
    from sandbox.ecs.service_part import ServicePart

_LOG = logging.getLogger(__name__)
_PARTS = (
    *("mongod staging", "mongod prod", "atlas", "aws", "control"),
    *("private endpoint", "service staging", "service prod"),
)


class Supervisor:
    """One sandbox in one directory. `start` returns the world; `stop` ends every part, the `mongod`s last."""

    def __init__(self, directory: Path, options: Options, own: processes.ProcessRecord) -> None:
        self._directory = directory
        self._options = options
        self._records = [own]
        self._recording = threading.Lock()
        self._parts = ExitStack()
        self._mongods: dict[str, MongodProcess] = {}

    def start(self) -> World:
        """Start everything. Raises `MongodError` or `OSError`, with everything stopped again."""
        try:
            return self._start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop everything; the `mongod`s shut down cleanly, both at once, so that kept data can be read."""
        self._parts.close()
        if self._mongods:
            with ThreadPoolExecutor(len(self._mongods)) as pool:
                list(pool.map(lambda mongod: mongod.stop(deadline_seconds=3.0), self._mongods.values()))

    def dead(self) -> list[str]:
        """Name the `mongod`s that have ended by themselves."""
        return [name for name, mongod in self._mongods.items() if not mongod.alive()]

    def _port(self, part: str) -> int:
        return self._options.base_port + _PARTS.index(part) if self._options.base_port else 0

    def _start(self) -> World:
        processes.save(self._directory, self._records)
        inventory = Inventory.load()
        binary = find_mongod()
        with ThreadPoolExecutor(len(ENVIRONMENTS)) as pool:
            starting = {name: pool.submit(self._mongod, name, binary) for name in ENVIRONMENTS}
            # The largest import of all takes place while the servers start.
            from sandbox.aws import account, server
            from sandbox.ecs import service_part
            from sandbox.ecs.agent import EcsAgent
            from sandbox.ecs.containers import Witness
            from sandbox.ecs.service_part import ServicePart

            servers = {name: future.result() for name, future in starting.items()}
        roots = {name: mongod.root_uri for name, mongod in servers.items()}
        forwarder = Forwarder((HOST, servers["staging"].port))
        private_address = forwarder.start(self._port("private endpoint"))
        self._parts.callback(forwarder.cut)
        with ThreadPoolExecutor(1) as pool:
            seeding = pool.submit(seed.seed, roots, inventory.database, easy=self._options.easy)
            token = secrets.token_hex(24)
            witness = Witness(self._record, self._forget)
            part = ServicePart(inventory.by_name, witness) if self._options.service else None
            sites = service_part.sites(inventory, part) if part else {}
            control = Control(token, {"private-endpoint": _switch(forwarder)}, sites)
            control.start(self._port("control"))
            self._parts.callback(control.stop)
            agent = EcsAgent(self._options.ecs_step_seconds)
            aws = server.AwsServer(agent, chance=self._chance("aws"))
            aws.start(self._port("aws"))
            self._parts.callback(aws.stop)
            atlas = AtlasPart(self._options, inventory, servers, private_address, self._chance("atlas"))
            self._parts.callback(atlas.emulator.stop)
            atlas.start(self._port("atlas"))
            urls = self._service(part, inventory, agent, (atlas.emulator.url, aws.url, control.url))
            sessions = {
                name: account.build_account(
                    inventory, name, atlas.strings(name), agent, easy=self._options.easy
                )
                for name in ENVIRONMENTS
            }
            service_part.settle(agent)
            agent.start()
            self._parts.callback(agent.stop)
            seeding.result()
        if not self._options.easy:
            busy = BusyClients(roots.values(), inventory.database)
            self._parts.callback(busy.stop)
        environments = {}
        for name in ENVIRONMENTS:
            here, mongod = inventory.by_name[name], servers[name]
            environments[name] = Environment(
                name=name,
                project_id=here.project_id,
                cluster=here.cluster,
                account=here.account,
                region=here.region,
                mongod=Mongod(HOST, mongod.port, mongod.replica_set, mongod.root_uri),
                atlas=atlas.keys[name],
                aws=sessions[name],
                service_url=urls[name],
            )
        world = World(
            directory=self._directory,
            options=self._options,
            atlas_url=atlas.emulator.url,
            aws_url=aws.url,
            control_url=control.url,
            private_address=private_address,
            environments=environments,
            passphrase=secrets.token_urlsafe(24),
            control_token=token,
        )
        world = self._with_providers(world)
        world.save()
        return world

    def _chance(self, part: str) -> Chance | None:
        return None if self._options.easy else Chance(f"{self._options.seed} {part}")

    def _mongod(self, environment: str, binary: Path) -> MongodProcess:
        mongod = MongodProcess.start(
            self._directory / "mongo" / environment,
            root_password=secrets.token_hex(16),
            port=self._port(f"mongod {environment}"),
            replica_set=f"atlas-{environment}",
            log_path=self._directory / "logs" / f"mongod-{environment}.log",
            mongod=binary,
        )
        self._mongods[environment] = mongod
        self._record(f"mongod {environment}", mongod.pid)
        return mongod

    def _service(
        self,
        part: "ServicePart | None",
        inventory: Inventory,
        agent: "EcsAgent",
        addresses: tuple[str, str, str],
    ) -> Mapping[str, str]:
        """Let tasks be processes, where the options say so; return the service's address by environment."""
        if part is None:
            return dict.fromkeys(ENVIRONMENTS, "")
        self._parts.callback(part.stop)
        part.listen({name: self._port(f"service {name}") for name in ENVIRONMENTS})
        overlays = {
            name: overlay(*addresses, name, inventory.by_name[name].region, part.urls[name])
            for name in ENVIRONMENTS
        }
        part.run_tasks(agent, overlays)
        return part.urls

    def _record(self, name: str, pid: int) -> None:
        with self._recording, suppress(psutil.NoSuchProcess):
            self._records.append(processes.ProcessRecord.of(name, pid))
            processes.save(self._directory, self._records)

    def _forget(self, pid: int) -> None:
        with self._recording, suppress(OSError):
            self._records = [record for record in self._records if record.pid != pid]
            processes.save(self._directory, self._records)

    def _with_providers(self, world: World) -> World:
        from sandbox import providers

        environments = {}
        for name, environment in world.environments.items():
            served = providers.serve(world.environment(name))
            self._parts.callback(served.stop)
            environments[name] = replace(environment, provider_ports=dict(served.ports))
        return replace(world, environments=environments)


def _switch(forwarder: Forwarder) -> Callable[[Mapping[str, Any]], Mapping[str, Any]]:
    def switch(given: Mapping[str, Any]) -> Mapping[str, Any]:
        if not isinstance(given.get("open"), bool):
            raise ValueError("open must be true or false")  # noqa: TRY004 - refused like any wrong input
        if given["open"]:
            forwarder.restore()
        else:
            forwarder.cut()
        return {"open": given["open"]}

    return switch
