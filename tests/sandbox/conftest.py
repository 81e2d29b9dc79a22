"""The fixtures that several files share: an AWS, an Atlas, a MongoDB server, an application, a service, an engine."""

from atlas_fixture import atlas, atlas_servers, specs
from aws_fixture import aws
from engine_programs.harness import stack, toy
from mongod_fixture import cluster
from service_fixture import running
from smoke_fixture import app, expired, side_gates
from world_fixture import provisioned_world

__all__ = ["app", "atlas", "atlas_servers", "aws", "cluster", "expired"]
__all__ += ["provisioned_world", "running", "side_gates", "specs", "stack", "toy"]
