"""Atlas's error codes and HTTP statuses with our own messages.

Source: the Atlas Administration API's list of error codes.
"""

from http.client import responses
from typing import Any

_CATALOGUE: dict[str, tuple[int, str]] = {
    "ATLAS_CUSTOM_ROLE_HAS_NO_PERMISSIONS": (400, "A custom role needs an action or an inherited role."),
    "ATLAS_CUSTOM_ROLE_INVALID_NAME": (400, "{} is no role name: letters or digits first, then - and _ too."),
    "ATLAS_DUPLICATE_CUSTOM_ROLE_ACTION": (400, "An action is listed twice: one action, many resources."),
    "ATLAS_DUPLICATE_CUSTOM_ROLE_RESOURCE": (400, "The role lists a resource twice under one action."),
    "ATLAS_INVALID_CUSTOM_ROLE_CIRCULAR_DEPENDENCY": (400, "The inherited roles would form a circle."),
    "ATLAS_INVALID_CUSTOM_ROLE_INHERITANCE": (400, "An inherited role does not exist."),
    "ATLAS_INVALID_CUSTOM_ROLE_INHERITED_SCOPE": (400, "An inherited role is not valid on that database."),
    "ATLAS_INVALID_CUSTOM_ROLE_RESTRICTED": (400, "{} is the name of a built-in role."),
    "ATLAS_INVALID_CUSTOM_ROLE_SELF_REFERENTIAL": (400, "A custom role cannot inherit from itself."),
    "ATLAS_INVALID_LDAP_NAME": (400, "{} is not a distinguished name (RFC 2253)."),
    "ATLAS_INVALID_RESOURCE": (400, "An action is granted on a resource that it does not apply to."),
    "ATLAS_INVALID_ROLE": (400, "No role {}@{} exists."),
    "ATLAS_INVALID_ROLE_DATABASE": (400, "The role {} exists on the database {} only."),
    "ATLAS_INVALID_USERNAME": (400, "The username cannot be used for this type of database user."),
    "ATLAS_MANAGED_X509_NAME_INVALID": (
        400,
        "Atlas-managed X.509 users have a plain name, or CN=<name>, without more.",
    ),
    "ATLAS_RESERVED_CUSTOM_ROLE_RESTRICTED": (400, "{} begins with xgen-, as built-in roles do."),
    "ATLAS_X509_USER_CANNOT_BE_TEMPORARY": (400, "An X.509 user cannot be temporary."),
    "ATLAS_X509_USER_CANNOT_USE_LDAP": (400, "A user signs in by X.509 or by LDAP, not by both."),
    "ATLAS_X509_USER_CANNOT_USE_SCRAM": (400, "An X.509 user has no password."),
    "BLOCKED_USERNAME": (400, "The username {} is reserved."),
    "COMMON_PASSWORD": (400, "The password is one of the most common ones."),
    "DATABASE_NAME_INVALID_ADMIN": (400, "{} users are made on the admin database only."),
    "DATABASE_NAME_INVALID_EXTERNAL": (400, "Users who sign in elsewhere are made on $external only."),
    "DUPLICATE_DATABASE_ROLES": (400, "The user lists a role twice: {}."),
    "EXPIRATION_DATE_EXCEEDS_MAX": (400, "The expiration date is more than {} days ahead."),
    "EXPIRATION_DATE_IN_PAST": (400, "The expiration date is not in the future."),
    "GROUP_MISMATCH": (400, "The project {} in the body is not the one in the address."),
    "INVALID_ATTRIBUTE": (400, "There is no attribute {}."),
    "INVALID_COLLECTION_NAME": (400, "{} cannot name a collection."),
    "INVALID_DATABASE_NAME": (400, "{} cannot name a database."),
    "INVALID_ENUM_VALUE": (400, "The value of {} is not one of those allowed."),
    "INVALID_JSON_ATTRIBUTE": (400, "The attribute {} has another form."),
    "INVALID_QUERY_PARAMETER": (400, "The query parameter {} has another form."),
    "MALFORMED_JSON": (400, "The body is not JSON."),
    "MISSING_ATTRIBUTE": (400, "The attribute {} is required."),
    "MISSING_QUERY_PARAMETER": (400, "The query parameter {} is required."),
    "PERMANENT_ENTITY_CANNOT_BE_MADE_TEMPORARY": (400, "A permanent user cannot be made temporary."),
    "UNSUPPORTED_ROLE": (400, "The role is not supported there: custom roles are assigned at admin."),
    "VALIDATION_ERROR": (400, "The request does not validate: {}."),
    "WEAK_PASSWORD": (400, "The password is too weak: use at least 8 characters."),
    "NO_CURRENT_USER": (401, "The request is not signed in for this resource."),
    "USER_CANNOT_ACCESS_GROUP": (401, "The signed-in key has no access to the project {}."),
    "USER_UNAUTHORIZED": (401, "The signed-in key may read but not change this project."),
    "CUSTOM_ROLES_LIMIT_EXCEEDED": (403, "A project holds at most {} custom roles."),
    "GROUP_USERS_LIMIT_EXCEEDED": (403, "A project holds at most {} database users."),
    "ATLAS_CUSTOM_ROLE_NOT_FOUND": (404, "The project has no custom role {}."),
    "CLUSTER_NOT_FOUND": (404, "No cluster {} is in project {}."),
    "GROUP_NOT_FOUND": (404, "No project has the id {}."),
    "INVALID_GROUP_ID": (404, "{} is not a project id: those are 24 hexadecimal digits."),
    "RESOURCE_NOT_FOUND": (404, "There is no resource {}."),
    "USERNAME_NOT_FOUND": (404, "The project has no database user {}."),
    "METHOD_NOT_ALLOWED": (405, "The resource does not take {}."),
    "NOT_ACCEPTABLE": (406, "Accept must name a version of this resource: {}."),
    "ATLAS_CUSTOM_ROLE_IN_USE_BY_ROLES": (409, "The custom role is inherited by: {}."),
    "ATLAS_CUSTOM_ROLE_IN_USE_BY_USERS": (409, "The custom role is assigned to: {}."),
    "ATLAS_CUSTOM_ROLE_NAME_ALREADY_EXISTS": (409, "The project already has a custom role {}."),
    "AUTH_TYPE_CANNOT_BE_CHANGED": (409, "The way a user signs in cannot be changed."),
    "AUTOMATION_CONFIG_CONCURRENT_MODIFICATION": (409, "Another change of roles is under way."),
    "DATABASE_NAME_CANNOT_BE_CHANGED": (409, "The authentication database of a user cannot be changed."),
    "DATABASE_USERNAME_CANNOT_BE_CHANGED": (409, "The name of a user cannot be changed."),
    "USER_ALREADY_EXISTS": (409, "The project already has a database user {}."),
    "UNSUPPORTED_MEDIA_TYPE": (415, "Content-Type must name a version of this resource: {}."),
    "RATE_LIMITED": (429, "{} takes {} requests a minute."),
    "UNEXPECTED_ERROR": (500, "Something went wrong inside."),
}


class AtlasError(Exception):
    """A refusal: status, code, a sentence, its parameters, and headers that belong to it."""

    def __init__(self, code: str, *parameters: str, headers: dict[str, str] | None = None) -> None:
        self.status, template = _CATALOGUE[code]
        self.code = code
        self.parameters = parameters
        self.headers = headers or {}
        self.detail = template.format(*parameters)
        super().__init__(self.detail)

    def body(self) -> dict[str, Any]:
        """Return the error object of the API (schema ApiError)."""
        return error_body(self.status, self.code, self.detail, self.parameters)


def error_body(status: int, code: str, detail: str, parameters: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return an error object for any status, also for those that a test asks for."""
    reason = responses.get(status, "Unknown")
    return {
        "error": status,
        "errorCode": code,
        "detail": detail,
        "reason": reason,
        "parameters": list(parameters),
    }
