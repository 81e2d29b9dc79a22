"""The mongodbatlas provider."""

from collections.abc import Mapping

from sandbox.providers.atlas_client import SETTINGS, AtlasClient
from sandbox.providers.atlas_cluster import GET_ADVANCED_CLUSTER
from sandbox.providers.atlas_custom_role import CUSTOM_DB_ROLE
from sandbox.providers.atlas_database_user import DATABASE_USER
from sandbox.providers.resource import ProviderDefinition


def definition(environment: Mapping[str, str]) -> ProviderDefinition[AtlasClient]:
    """The mongodbatlas provider for a stack's environment."""
    return ProviderDefinition(
        name="mongodbatlas",
        version="4.18.0",
        settings=SETTINGS,
        configure=lambda settings: AtlasClient(environment, settings),
        resources=(CUSTOM_DB_ROLE, DATABASE_USER),
        invokes=(GET_ADVANCED_CLUSTER,),
    )
