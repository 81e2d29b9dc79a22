"""Imports what programs, dynamic providers and policy packs use, into the process that runs are forked from."""

import botocore.client
import botocore.session
import pulumi_aws as aws
import pulumi_mongodbatlas
import pulumi_policy
import pulumi_random
import pymongo
import requests

import components.observed
import components.service_access
import sandbox.engine.host

# Subpackages of pulumi_aws are imported when first used.
USED = (aws.ecs.TaskDefinition, aws.iam.RolePolicy, aws.secretsmanager.SecretVersion)

__all__ = [
    "botocore", "components", "pulumi_mongodbatlas", "pulumi_policy", "pulumi_random", "pymongo", "requests",
    "sandbox",
]  # fmt: skip
