"""The schema task's program: creates missing indexes on the collections with agents' data. It drops nothing."""

import logging
import os
import sys
from collections.abc import Mapping

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from atlas_access.base import ConnectionInvalid, ConnectionString, EndpointRefused, Endpoints
from sandbox.app import failures
from sandbox.app.databases import Document

_LOG = logging.getLogger("schema")
_VARIABLE = "MONGODB_URI_ADMIN_SCHEMA"
_INDEXES = (
    ("agent_waitlist_submissions", "email", True),
    ("agent_waitlist_submissions", "submitted_at", False),
    ("agent_survey_responses", "submitted_at", False),
    ("hubspot_sync_log", "email", False),
    ("hubspot_sync_log", "at", False),
)


def main(environment: Mapping[str, str]) -> int:
    """Make the indexes by the schema user; return the exit code."""
    text = environment.get(_VARIABLE, "")
    try:
        Endpoints.from_environment(environment).permit_connection(ConnectionString.parse(text))
    except (ConnectionInvalid, EndpointRefused):
        _LOG.error("%s does not hold a connection string that may be used here", _VARIABLE)
        return 2
    try:
        with MongoClient[Document](text, serverSelectionTimeoutMS=5000) as client:
            database = client.get_default_database("askflorence")
            for collection, field, unique in _INDEXES:
                database[collection].create_index([(field, 1)], name=field, unique=unique)
    except PyMongoError as error:
        _LOG.error("%s", failures.line(error))
        return 1
    _LOG.info("%d indexes are there", len(_INDEXES))
    return 0


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(levelname)s %(message)s")
    sys.exit(main(os.environ))
