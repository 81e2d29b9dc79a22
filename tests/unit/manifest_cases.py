"""One mistake each: what is changed in the manifest, and how the error begins that it must bring forth."""

READ_ROLE = '    role: read@askflorence\n    secret: "{env}/mongodb/app-read-v2"'
LOG = "  database: askflorence\n  collection: agent_audit_log\n"
CUSTOM = "  role_audit_writer:\n    FIND: [agent_audit_log]\n"
SURVEY = "        role: role_writer_survey\n        successor: "
ADR = "adr: ADR 0006, reason: there is no such finding"

TWO_RULES = {"the schema variable bound to the runtime"}
TWO_RULES |= {"two clusters read across"}
TWO_RULES |= {"the schema user bound to the runtime under another name"}
"""These break two rules at once, and both are reported."""

CASES = {
    "an unknown key at the top": (
        ("version: 1\n", "version: 1\ncolections: {}\n"),
        'colections: unknown key "colections". Remove it. Did you mean "collections"?',
    ),
    "an unknown key of a user": (
        (READ_ROLE, READ_ROLE + "\n    rol: x"),
        'users.app_read.rol: unknown key "rol". Remove it. Did you mean "role"?',
    ),
    "an unknown key of a binding": (
        ("{user: app_admin_schema}", "{user: app_admin_schema, prd: {}}"),
        'bindings.schema_task.MONGODB_URI_ADMIN_SCHEMA.prd: unknown key "prd". Known here: user, secret, staging, prod.'
        ' Did you mean "prod"?',
    ),
    "a family of views without its field": (
        ("collections:\n", "collections:\n  agent_{npn}: {class: pii, on: [prod], views_of: agents}\n"),
        "collections.agent_{npn}: a family of views without its source and its field. Say views_of",
    ),
    "a filter of what is no family": (
        ("collections:\n", "collections:\n  one: {class: pii, on: [prod], views_of: agents, filter: npn}\n"),
        "collections.one: views_of and filter belong to a family of views. Take views_of and filter out",
    ),
    "a family of an unknown collection": (
        (
            "collections:\n",
            "collections:\n  a_{n}: {class: pii, on: [prod], views_of: agentz, filter: npn}\n",
        ),
        'collections.a_{n}.views_of: collection "agentz" is not defined. Define it under collections:.',
    ),
    "a retention of no days": (
        (LOG, LOG + "  retention: {field: at, days: 0}\n"),
        "audit.retention.days: not a number of days. Write a whole number from 1 to 24855.",
    ),
    "a retention by no field": (
        (LOG, LOG + "  retention: {field: 9at, days: 30}\n"),
        'audit.retention.field: "9at" is not a field\'s name. Name the field that says when a row was written',
    ),
    "a misspelled retention": (
        (LOG, LOG + "  retension: {field: at, days: 30}\n"),
        'audit.retension: unknown key "retension". Remove it. Did you mean "retention"?',
    ),
    "a missing key": (
        ("database: askflorence\nenvironments", "environments"),
        'database: "database" is missing. Add it.',
    ),
    "a wildcard as a collection": (
        (CUSTOM, CUSTOM.replace("[agent_audit_log]", '["*"]')),
        "roles.role_audit_writer.FIND[0]: a wildcard. Name each collection",
    ),
    "a wildcard in an action": (
        (CUSTOM, CUSTOM.replace("FIND", '"*"')),
        "roles.role_audit_writer.?: a wildcard",
    ),
    "an unknown action": (
        (CUSTOM, CUSTOM.replace("FIND", "FINDS")),
        'roles.role_audit_writer.FINDS: "FINDS" is no Atlas action. Use an action of Atlas custom roles,'
        ' such as FIND. Did you mean "FIND"?',
    ),
    "the acceptance of a known action": (
        ("version: 1\n", f"version: 1\naccepted_actions: {{remove: {{{ADR}}}}}\n"),
        "accepted_actions.remove: remove is known here, so that accepting it changes nothing. Remove it.",
    ),
    "an action of the whole cluster": (
        (CUSTOM, CUSTOM.replace("FIND", "SERVER_STATUS")),
        "roles.role_audit_writer.SERVER_STATUS: SERVER_STATUS acts on the whole cluster, not on collections",
    ),
    "an action that MongoDB does not know": (
        (CUSTOM, CUSTOM.replace("FIND", "OUT_TO_S3")),
        "roles.role_audit_writer.OUT_TO_S3: OUT_TO_S3 has no effect here",
    ),
    "an action listed twice": (
        (CUSTOM, CUSTOM + "    FIND: [agent_audit_log]\n"),
        'roles.role_audit_writer.FIND: "FIND" is written twice. Put both into one; the first is in line 39.',
    ),
    "an empty list of collections": (
        (CUSTOM, CUSTOM.replace("[agent_audit_log]", "[]")),
        "roles.role_audit_writer.FIND: is empty. Name at least one",
    ),
    "a collection that is not defined": (
        (CUSTOM, CUSTOM.replace("agent_audit_log", "agent_audit_logs")),
        'roles.role_audit_writer.FIND[0]: collection "agent_audit_logs" is not defined. Define it under collections:.'
        ' Did you mean "agent_audit_log"?',
    ),
    "a role that is not defined": (
        (READ_ROLE, READ_ROLE.replace("read@askflorence", "role_reports")),
        'users.app_read.role: role "role_reports" is not defined. Define it under roles:, or use read@askflorence.',
    ),
    "a role that nobody has": (
        (CUSTOM, "  role_reports:\n    FIND: [plans]\n" + CUSTOM),
        'roles.role_reports: role "role_reports" is defined but no user has it',
    ),
    "a built-in role beyond read and write": (
        (READ_ROLE, READ_ROLE.replace("read@", "dbAdmin@")),
        "users.app_read.role: the built-in role dbAdmin is not allowed. Use read@askflorence",
    ),
    "a built-in role on another database": (
        (READ_ROLE, READ_ROLE.replace("read@askflorence", "read@other")),
        'users.app_read.role: "read@other" reaches a database that is not the manifest\'s',
    ),
    "a built-in role without its database": (
        (READ_ROLE, READ_ROLE.replace("read@askflorence", "read")),
        "users.app_read.role: the built-in role read needs its database. Write read@askflorence.",
    ),
    "a custom role on another database than admin": (
        ("role: role_audit_writer\n", "role: role_audit_writer@askflorence\n"),
        'users.app_audit_writer.role: custom role "role_audit_writer" with a database.'
        " Write role_audit_writer alone: Atlas assigns custom roles at admin.",
    ),
    "one variable bound to two users by two consumers": (
        ("  local:\n    MONGODB_URI: {user: app_read}", "  local:\n    MONGODB_URI: {user: app_write}"),
        "bindings.local.MONGODB_URI: bound twice (app_read for service, app_write for local). A variable has one user.",
    ),
    "one variable bound twice": (
        ("  schema_task:\n", "    MONGODB_WRITE_URI: {user: app_read}\n  schema_task:\n"),
        'bindings.service.MONGODB_WRITE_URI: "MONGODB_WRITE_URI" is written twice. Put both into one',
    ),
    "a user that is not defined": (
        (
            "    MONGODB_URI_ADMIN_SCHEMA: {user: app_admin_schema}",
            "    MONGODB_URI_ADMIN_SCHEMA: {user: app_admin}",
        ),
        'bindings.schema_task.MONGODB_URI_ADMIN_SCHEMA.user: user "app_admin" is not defined.',
    ),
    "a deprecated variable that is bound": (
        ("  schema_task:\n", "    MONGODB_URI_PLANS_WRITE: {user: app_write}\n  schema_task:\n"),
        'bindings.service.MONGODB_URI_PLANS_WRITE: "MONGODB_URI_PLANS_WRITE" is deprecated. Bind MONGODB_WRITE_URI',
    ),
    "the schema variable bound to the runtime": (
        ("  schema_task:\n", "    MONGODB_URI_ADMIN_SCHEMA: {user: app_admin_schema}\n  schema_task:\n"),
        "bindings.service.MONGODB_URI_ADMIN_SCHEMA: MONGODB_URI_ADMIN_SCHEMA bound to service."
        " Bind it under schema_task: only",
    ),
    "the schema user bound to the runtime under another name": (
        ("  schema_task:\n", "    MONGODB_OTHER_URI: {user: app_admin_schema}\n  schema_task:\n"),
        'bindings.service.MONGODB_OTHER_URI: "app_admin_schema" is the schema task\'s user',
    ),
    "a secret outside its folder": (
        ("{env}/mongodb/audit-write", "{env}/mongo/audit-write"),
        'users.app_audit_writer.secret: "{env}/mongo/audit-write" is outside {env}/mongodb/…',
    ),
    "a legacy secret that would be written": (
        ("{env}/mongodb/reference-uri-v2", "{env}/mongodb/reference-uri"),
        'bindings.service.MONGODB_REFERENCE_URI.secret: "{env}/mongodb/reference-uri" is a legacy secret in staging and'
        " prod. A legacy secret is never written again",
    ),
    "two users with one secret": (
        ("{env}/mongodb/audit-write", "{env}/mongodb/app-write-v2"),
        "users.app_audit_writer.secret: shares its secret with app_write",
    ),
    "a binding with another user's secret": (
        ('"{env}/mongodb/reference-uri-v2"', '"{env}/mongodb/app-write-v2"'),
        'bindings.service.MONGODB_REFERENCE_URI.secret: the secret of "app_write", bound for "app_read"',
    ),
    "one secret for two addresses": (
        ('"{env}/mongodb/reference-uri-v2"', '"{env}/mongodb/app-read-v2"'),
        "bindings.service.MONGODB_REFERENCE_URI: its secret would hold two connection strings in prod",
    ),
    "another environment's cluster without a secret of its own": (
        ('      secret: "{env}/mongodb/reference-uri-v2"\n', ""),
        'bindings.service.MONGODB_REFERENCE_URI.prod: the secret of "app_read" holds prod\'s own address',
    ),
    "another environment's cluster by its public address": (
        ("cluster: staging, address: private", "cluster: staging, address: public"),
        "bindings.service.MONGODB_REFERENCE_URI.prod.address: another environment's cluster by its public address",
    ),
    "prod's cluster read from staging": (
        (
            "      prod: {cluster: staging, address: private}",
            "      staging: {cluster: prod, address: private}",
        ),
        "bindings.service.MONGODB_REFERENCE_URI.staging.cluster: staging would read prod's cluster",
    ),
    "two clusters read across": (
        (
            "      prod: {cluster: staging, address: private}",
            "      prod: {cluster: staging, address: private}\n      staging: {cluster: prod, address: private}",
        ),
        "bindings.service.MONGODB_REFERENCE_URI.staging.cluster: staging would read prod's cluster. One cluster alone",
    ),
    "a developer's machine without an environment": (
        ("local_environment: staging # whose cluster a developer's machine uses\n", ""),
        "bindings.local: nothing says whose cluster a developer's machine uses",
    ),
    "a developer's machine with the environment that reads across": (
        ("local_environment: staging", "local_environment: prod"),
        "local_environment: prod's credentials read another environment's cluster",
    ),
    "a cluster that is not defined": (
        ("cluster: staging, address", "cluster: stage, address"),
        'bindings.service.MONGODB_REFERENCE_URI.prod.cluster: cluster "stage" is not defined.',
    ),
    "a legacy user without a known successor": (
        (SURVEY + "app_write", SURVEY + "app_writer"),
        'legacy.staging.users.app_writer_survey.successor: successor "app_writer" is not defined.',
    ),
    "a legacy user whose variable goes to somebody else": (
        (SURVEY + "app_write", SURVEY + "app_read"),
        'legacy.staging.users.app_writer_survey.secrets[0].variable: "MONGODB_URI_SURVEY_WRITE" goes over to app_write,'
        " not to app_read",
    ),
    "a legacy user that is managed": (
        ("      app-write:\n", "      app_write:\n"),
        'legacy.prod.users.app_write: "app_write" is a managed user too',
    ),
    "a legacy secret of the wrong account": (
        ("{name: prod/mongodb/reference-uri, environment: prod, ", "{name: prod/mongodb/reference-uri, "),
        'legacy.staging.users.app_read_staging.secrets[1].name: "prod/mongodb/reference-uri" is not in "staging"\'s',
    ),
    "a legacy secret of two users": (
        ("staging/mongodb/plans-write", "staging/mongodb/survey-write"),
        "legacy.staging.users.app_writer_plans.secrets[0].name: also the secret of app_writer_survey",
    ),
    "a successor that is bound nowhere": (
        ("MONGODB_URI_AGENTS_ADMIN: MONGODB_WRITE_URI", "MONGODB_URI_AGENTS_ADMIN: MONGODB_WRITE"),
        'deprecated_variables.MONGODB_URI_AGENTS_ADMIN: its successor "MONGODB_WRITE" is bound nowhere.',
    ),
    "a waiver of an unknown user": (
        ("    user: app_write\n    on: database", "    user: app_writer\n    on: database"),
        'waivers.W2.user: waiver for a user "app_writer" that is not defined',
    ),
    "a waiver that permits what is not in effect": (
        ("[CREATE_INDEX, DROP_INDEX]\n    adr", "[CREATE_INDEX, DROP_INDEX, COLL_MOD]\n    adr"),
        'waivers.W2.permits[2]: permits "COLL_MOD", which app_write cannot do. Remove it; in effect are:',
    ),
    "a waiver that names too little": (
        ("[INSERT, UPDATE, REMOVE, ", "[INSERT, UPDATE, "),
        "waivers.W1.permits: does not name REMOVE, which app_write can do on askflorence.agent_audit_log",
    ),
    "a waiver that nothing needs": (
        ("waivers:\n", f"waivers:\n  W3: {{user: app_read, on: audit, permits: [UPDATE], {ADR}}}\n"),
        "waivers.W3: no longer needed: app_read can do nothing of this on the audit",
    ),
    "a waiver without a decision record": (
        (
            "    permits: [CREATE_INDEX, DROP_INDEX]\n    adr: ADR 0006",
            "    permits: [CREATE_INDEX, DROP_INDEX]\n    adr: agreed by phone",
        ),
        'waivers.W2.adr: "agreed by phone" is no decision record. Name the record that accepts this, like "ADR 0006".',
    ),
    "a role that reaches the audit log without a waiver": (
        (CUSTOM, CUSTOM + "    UPDATE: [agent_audit_log]\n"),
        "users.app_audit_writer.role: app_audit_writer can UPDATE on askflorence.agent_audit_log,"
        " and no waiver says so",
    ),
    "an adopted user that is not declared": (
        ("  users: [app_admin_schema]\n  roles", "  users: [app_admin_schemas]\n  roles"),
        'adopted.users[0]: "app_admin_schemas" is adopted but not declared',
    ),
    "personal data read across environments": (
        ("read_across: [formularies_staging,", "read_across: [agents, formularies_staging,"),
        'read_across[0]: "agents" is pii, not public',
    ),
    "health data on the cluster that another environment reads": (
        ("  agents: {class: pii,", "  agents: {class: phi,"),
        "collections.agents.class: phi on staging, whose cluster another environment reads",
    ),
    "an unknown environment of a collection": (
        (
            "  plans: {class: public, on: [staging, prod]}",
            "  plans: {class: public, on: [staging, production]}",
        ),
        'collections.plans.on[1]: environment "production" is not defined. Use one of: staging, prod.',
    ),
    "an unknown data class": (
        ("  plans: {class: public,", "  plans: {class: secret,"),
        "collections.plans.class: \"secret\" is not allowed here. Write one of: 'public', 'pii' or 'phi'.",
    ),
    "an audit log that may be absent": (
        (
            "  agent_audit_log: {class: pii, on: [staging, prod]}",
            "  agent_audit_log: {class: pii, on: [staging, prod], may_be_absent: true}",
        ),
        "collections.agent_audit_log.may_be_absent: the audit log must exist",
    ),
    "an audit log that is not listed": (
        ("  collection: agent_audit_log\n", "  collection: the_log\n"),
        'audit.collection: collection "the_log" is not defined',
    ),
    "a number where a word belongs": (
        ("database: askflorence\nenvironments", "database: 7\nenvironments"),
        "database: not a text. Write a word, in quotes if it looks like a number.",
    ),
    "a word where a list belongs": (
        ("environments: [staging, prod]", "environments: staging"),
        "environments: not a list. Write a list: [one, two].",
    ),
    "an older version": (
        ("version: 1\n", "version: 0\n"),
        'version: "0" is not allowed here. Write one of: 1.',
    ),
    "a newer version": (
        ("version: 1\n", "version: 2\n"),
        "version: version 2 is newer than this tool, which reads version 1. Update atlas-access.",
    ),
    "a tab": (
        ("  plans: {class", "\tplans: {class"),
        "a tab where spaces are needed. Indent with spaces only.",
    ),
    "an anchor": (
        ("read_across: [", "read_across: &list ["),
        "an anchor or alias (& or *). Write the value out",
    ),
    "a tag": (("version: 1\n", "version: !!python/name:os.system 1\n"), "a YAML tag (!). Remove the tag"),
    "a key that stands twice": (
        ("version: 1\n", "version: 1\nversion: 1\n"),
        'version: "version" is written twice. Put both into one; the first is in line 3.',
    ),
    "two documents": (
        ("\n# What was made by hand", "\n---\n# What was made by hand"),
        "more than one YAML document",
    ),
    "an open bracket": (("environments: [staging, prod]", "environments: [staging, prod"), "not valid YAML"),
}
