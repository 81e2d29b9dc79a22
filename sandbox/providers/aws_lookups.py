"""The aws provider's functions for KMS, Secrets Manager and STS; none reads a secret's value."""

from datetime import datetime
from typing import Any, Final

from sandbox.providers.aws_session import AwsSession, aws_errors
from sandbox.providers.errors import ProviderError
from sandbox.providers.resource import Invoke
from sandbox.values import Properties


def rfc3339(when: datetime | None) -> str:
    """A time as the provider's outputs write it; empty when there is none."""
    return when.strftime("%Y-%m-%dT%H:%M:%SZ") if when else ""


def _get_caller_identity(session: AwsSession, _arguments: Properties) -> Properties:
    with aws_errors("reading STS Caller Identity"):
        found = session.sts().get_caller_identity()
    account = found["Account"]
    return {"accountId": account, "arn": found["Arn"], "id": account, "userId": found["UserId"]}


def _get_alias(session: AwsSession, arguments: Properties) -> Properties:
    name, client = arguments["name"], session.kms(arguments)
    with aws_errors(f"reading KMS Alias ({name})"):
        pages = client.get_paginator("list_aliases").paginate()
        found = next((one for page in pages for one in page["Aliases"] if one.get("AliasName") == name), None)
        if found is None:
            raise ProviderError(f"reading KMS Alias ({name}): empty result")
        key: dict[str, Any] = {}
        if found.get("TargetKeyId"):
            key = dict(client.describe_key(KeyId=found["TargetKeyId"])["KeyMetadata"])
    return {
        "arn": found["AliasArn"],
        "id": found["AliasArn"],
        "name": name,
        "region": arguments.get("region") or session.region,
        "targetKeyArn": key.get("Arn", ""),
        "targetKeyId": key.get("KeyId", ""),
    }


def _get_key(session: AwsSession, arguments: Properties) -> Properties:
    wanted = arguments["keyId"]
    request: dict[str, Any] = {"KeyId": wanted}
    if arguments.get("grantTokens"):
        request["GrantTokens"] = arguments["grantTokens"]
    with aws_errors(f"reading KMS Key ({wanted})"):
        key: dict[str, Any] = dict(session.kms(arguments).describe_key(**request)["KeyMetadata"])
    return {
        "arn": key["Arn"],
        "awsAccountId": key.get("AWSAccountId", ""),
        "cloudHsmClusterId": key.get("CloudHsmClusterId", ""),
        "creationDate": rfc3339(key.get("CreationDate")),
        "customKeyStoreId": key.get("CustomKeyStoreId", ""),
        "customerMasterKeySpec": key.get("CustomerMasterKeySpec") or key.get("KeySpec", ""),
        "deletionDate": rfc3339(key.get("DeletionDate")),
        "description": key.get("Description", ""),
        "enabled": bool(key.get("Enabled")),
        "expirationModel": key.get("ExpirationModel", ""),
        "grantTokens": arguments.get("grantTokens"),
        "id": key["KeyId"],
        "keyId": wanted,
        "keyManager": key.get("KeyManager", ""),
        "keySpec": key.get("KeySpec", ""),
        "keyState": key.get("KeyState", ""),
        "keyUsage": key.get("KeyUsage", ""),
        "multiRegion": bool(key.get("MultiRegion")),
        "multiRegionConfigurations": [],
        "origin": key.get("Origin", ""),
        "pendingDeletionWindowInDays": key.get("PendingDeletionWindowInDays", 0),
        "region": arguments.get("region") or session.region,
        "validTo": rfc3339(key.get("ValidTo")),
        "xksKeyConfigurations": [],
    }


def _get_secret(session: AwsSession, arguments: Properties) -> Properties:
    given = [arguments[name] for name in ("arn", "name") if arguments.get(name)]
    if len(given) != 1:
        raise ProviderError("exactly one of `arn,name` must be specified")
    client = session.secrets(arguments)
    with aws_errors(f"reading Secrets Manager Secret ({given[0]})"):
        found = client.describe_secret(SecretId=given[0])
        if "DeletedDate" in found:
            raise ProviderError(f"reading Secrets Manager Secret ({given[0]}): scheduled for deletion")
        policy = client.get_resource_policy(SecretId=found["ARN"]).get("ResourcePolicy") or ""
    return {
        "arn": found["ARN"],
        "createdDate": rfc3339(found.get("CreatedDate")),
        "description": found.get("Description") or "",
        "id": found["ARN"],
        "kmsKeyId": found.get("KmsKeyId") or "",
        "lastChangedDate": rfc3339(found.get("LastChangedDate")),
        "name": found["Name"],
        "policy": policy,
        "region": arguments.get("region") or session.region,
        "tags": {tag["Key"]: tag["Value"] for tag in found.get("Tags") or []},
        "type": "",
    }


def _get_secret_versions(session: AwsSession, arguments: Properties) -> Properties:
    wanted, client = arguments["secretId"], session.secrets(arguments)
    request: dict[str, Any] = {"SecretId": wanted}
    if arguments.get("includeDeprecated"):
        request["IncludeDeprecated"] = True
    versions: list[Properties] = []
    with aws_errors(f"reading Secrets Manager Secret Versions ({wanted})"):
        while True:
            page: Any = client.list_secret_version_ids(**request)
            versions += [_version(one) for one in page.get("Versions") or []]
            if not page.get("NextToken"):
                break
            request["NextToken"] = page["NextToken"]
        # The answer to the listing may lack the name; the secret itself always has one.
        secret = client.describe_secret(SecretId=wanted)
    return {
        "arn": secret["ARN"],
        "id": secret["ARN"],
        "includeDeprecated": arguments.get("includeDeprecated"),
        "name": secret["Name"],
        "region": arguments.get("region") or session.region,
        "secretArn": secret["ARN"],
        "secretId": wanted,
        "secretName": secret["Name"],
        "versions": versions,
    }


def _version(found: Any) -> Properties:
    return {
        "createdTime": rfc3339(found.get("CreatedDate")),
        "lastAccessedDate": rfc3339(found.get("LastAccessedDate")),
        "versionId": found["VersionId"],
        "versionStages": list(found.get("VersionStages") or []),
    }


LOOKUPS: Final = (
    Invoke("aws:index/getCallerIdentity:getCallerIdentity", frozenset({"id"}), _get_caller_identity),
    Invoke("aws:kms/getAlias:getAlias", frozenset({"name", "region"}), _get_alias),
    Invoke("aws:kms/getKey:getKey", frozenset({"keyId", "grantTokens", "region"}), _get_key),
    Invoke(
        "aws:secretsmanager/getSecret:getSecret", frozenset({"arn", "name", "region", "tags"}), _get_secret
    ),
    Invoke(
        "aws:secretsmanager/getSecretVersions:getSecretVersions",
        frozenset({"secretId", "includeDeprecated", "region"}),
        _get_secret_versions,
    ),
)
