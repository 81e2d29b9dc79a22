"""The documents and indexes of both clusters, made up, as the demo's contract needs them.

`UNEVEN` makes some of the collections what any real cluster has beside plain ones: a view, a time series, a capped one,
validators, and text, TTL, partial and wildcard indexes. An easy world has plain collections alone.

ZIP 84094 offers 14 plans, on each of which the provider "Tyler Wood" and the drugs Synthroid and Lipitor are covered;
rxcui 1364441 is a preferred brand on plan 42261UT0060023 in 2026.
"""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pymongo import MongoClient
from pymongo.database import Database

YEAR = 2026
ZIP = "84094"
PROVIDER = "Tyler Wood"
_SALT_LAKE = "49035"
_WHEN = datetime(2026, 5, 1, 9, 0, tzinfo=UTC)
Document = dict[str, Any]


@dataclass(frozen=True)
class SeedCollection:
    """A collection's documents and indexes; an index is its fields, then whether it is unique."""

    name: str
    documents: tuple[Document, ...]
    indexes: tuple[tuple[tuple[str, ...], bool], ...]
    on: tuple[str, ...] = ("staging", "prod")


_METALS = (
    ("Bronze", 298.41, 8700),
    ("Expanded Bronze", 318.07, 7500),
    ("Silver", 402.66, 5400),
    ("Gold", 471.92, 1800),
)
_ISSUERS = (
    ("42261", "Wasatch Health", ("0060021", "0060022", "0060023", "0060024")),
    ("68781", "Beehive Choice", ("0010101", "0010102", "0010103", "0010104")),
    ("34541", "Canyon Mutual", ("0030011", "0030012", "0030013")),
    ("18167", "Deseret Plans", ("0020201", "0020202", "0020203")),
)
# Name, generic name, rxcui, and the tier on plans of even and of odd place.
_DRUGS = (
    ("Synthroid", "levothyroxine sodium", "966247", ("PreferredBrand", "Generic")),
    ("Lipitor", "atorvastatin calcium", "617318", ("PreferredBrand", "Generic")),
    ("Eliquis", "apixaban", "1364441", ("PreferredBrand", "PreferredBrand")),
)
_ZIPS = (
    (ZIP, "UT", _SALT_LAKE, "Salt Lake", 3),
    ("84101", "UT", _SALT_LAKE, "Salt Lake", 3),
    ("84003", "UT", "49049", "Utah", 3),
    ("84720", "UT", "49021", "Iron", 5),
    ("33101", "FL", "12086", "Miami-Dade", 43),
    ("75201", "TX", "48113", "Dallas", 8),
)


def plans() -> tuple[Document, ...]:
    """The 14 plans that rating area 3 of Utah offers."""
    found = []
    for issuer, name, products in _ISSUERS:
        for place, product in enumerate(products):
            metal, premium, deductible = _METALS[place]
            found.append(
                {
                    "plan_id": f"{issuer}UT{product}",
                    "year": YEAR,
                    "name": f"{name} {metal} {deductible}",
                    "metal_level": metal,
                    "state": "UT",
                    "rating_area": 3,
                    "counties": [_SALT_LAKE, "49049"],
                    "premium_age_21": round(premium + int(issuer[-2:]) / 10, 2),
                    "deductible": deductible,
                }
            )
    return tuple(found)


def formularies() -> tuple[Document, ...]:
    """One entry for each drug on each plan."""
    return tuple(
        {
            "plan_id": plan["plan_id"],
            "year": YEAR,
            "rxcui": rxcui,
            "drug_name": name,
            "generic_name": generic,
            "drug_tier": tiers[place % 2],
            "coverage": "Covered",
        }
        for place, plan in enumerate(plans())
        for name, generic, rxcui, tiers in _DRUGS
    )


def providers() -> tuple[Document, ...]:
    """The provider of the demonstration in every plan's network, and two who are in some."""
    ids = [str(plan["plan_id"]) for plan in plans()]
    people: tuple[tuple[str, str, list[str]], ...] = (
        (PROVIDER, "1000000001", ids),
        ("Maria Ortega", "1000000002", ids[:5]),
        ("Lee Chen", "1000000003", []),
    )
    return tuple(
        {
            "npi": npi,
            "name": name,
            "name_search": name.lower(),
            "specialty": "Family Medicine",
            "state": "UT",
            "year": YEAR,
            "plan_ids": networks,
        }
        for name, npi, networks in people
    )


def collections() -> tuple[SeedCollection, ...]:
    """Every collection of both clusters, in the manifest's order."""
    staging = ("staging",)
    agent = {"npn": "9000001", "email": "agent@example.com", "created_at": _WHEN}
    return (
        SeedCollection(
            "plans", plans(), ((("plan_id", "year"), True), (("state", "rating_area", "year"), False))
        ),
        SeedCollection(
            "zip_county",
            tuple(
                {"zip": z, "state": s, "fips": f, "county": c, "rating_area": r} for z, s, f, c, r in _ZIPS
            ),
            ((("zip", "fips"), True),),
        ),
        SeedCollection(
            "regions",
            (
                {"state": "UT", "marketplace": "FFM", "rating_areas": 6, "medicaid_expanded": True},
                {"state": "FL", "marketplace": "FFM", "rating_areas": 67, "medicaid_expanded": False},
                {"state": "TX", "marketplace": "FFM", "rating_areas": 27, "medicaid_expanded": False},
            ),
            ((("state",), True),),
        ),
        SeedCollection(
            "plan_years",
            (
                {"year": YEAR, "active": True, "poverty_line": 15650, "poverty_line_per_person": 5500},
                {"year": YEAR - 1, "active": False, "poverty_line": 15060, "poverty_line_per_person": 5380},
            ),
            ((("year",), True),),
        ),
        SeedCollection("audit_log", _log("plan_ingest", 3), ((("at",), False),)),
        SeedCollection(
            "agent_waitlist_submissions",
            tuple(
                {"email": f"waitlist{n}@example.com", "state": "UT", "submitted_at": _WHEN} for n in range(3)
            ),
            ((("email",), True), (("submitted_at",), False)),
        ),
        SeedCollection(
            "agent_survey_responses",
            tuple(
                {"email": f"survey{n}@example.com", "score": 7 + n, "submitted_at": _WHEN} for n in range(3)
            ),
            ((("submitted_at",), False),),
        ),
        SeedCollection(
            "hubspot_sync_log",
            tuple({"email": f"waitlist{n}@example.com", "state": "synced", "at": _WHEN} for n in range(3)),
            ((("email",), False), (("at",), False)),
        ),
        SeedCollection("agents", ({**agent, "name": "Example Agent"},), ((("npn",), True),)),
        SeedCollection(
            "agencies", ({"agency_id": "a-1", "name": "Example Agency"},), ((("agency_id",), True),)
        ),
        SeedCollection("agent_sessions", ({"npn": agent["npn"], "started_at": _WHEN},), ((("npn",), False),)),
        SeedCollection("admins", ({"email": "admin@example.com", "role": "owner"},), ((("email",), True),)),
        SeedCollection("agent_audit_log", _log("agent_login", 4), ((("at",), False),)),
        SeedCollection(
            "formularies_staging",
            formularies(),
            ((("plan_id", "rxcui", "year"), True), (("drug_name",), False)),
            staging,
        ),
        SeedCollection(
            "providers_staging", providers(), ((("npi", "year"), True), (("name_search",), False)), staging
        ),
        SeedCollection(
            "mrpuf_issuers_staging",
            tuple({"issuer_id": i, "name": n, "state": "UT", "year": YEAR} for i, n, _ in _ISSUERS),
            ((("issuer_id", "year"), True),),
            staging,
        ),
        SeedCollection(
            "mrf_file_state_staging",
            tuple({"issuer_id": i, "file": "formulary", "etag": f"v{i}"} for i, _, _ in _ISSUERS),
            ((("issuer_id", "file"), True),),
            staging,
        ),
    )


@dataclass(frozen=True)
class Uneven:
    """How a collection is created, where not by default, and its indexes that are not plain."""

    options: Mapping[str, Any] = field(default_factory=dict)
    indexes: tuple[Document, ...] = ()


def _valid(**types: str) -> Document:
    """The options of a collection whose documents must hold these fields, by their BSON types."""
    properties = {name: {"bsonType": kind} for name, kind in types.items()}
    return {"validator": {"$jsonSchema": {"required": list(types), "properties": properties}}}


UNEVEN: Mapping[str, Uneven] = {
    "plans": Uneven(indexes=({"key": {"name": "text"}, "name": "words"},)),
    "zip_county": Uneven(indexes=({"key": {"$**": 1}, "name": "wildcard"},)),
    "audit_log": Uneven({"timeseries": {"timeField": "at", "metaField": "actor"}}),
    "agent_waitlist_submissions": Uneven(_valid(email="string", state="string", submitted_at="date")),
    "agent_survey_responses": Uneven(
        _valid(email="string", score="int"),
        ({"key": {"score": 1}, "name": "bad", "partialFilterExpression": {"score": {"$lt": 5}}},),
    ),
    "agent_sessions": Uneven(
        indexes=({"key": {"ended_at": 1}, "name": "expiry", "expireAfterSeconds": 3600, "sparse": True},)
    ),
    "mrpuf_issuers_staging": Uneven(
        {
            "viewOn": "plans",
            "pipeline": [
                {"$group": {"_id": {"$substrBytes": ["$plan_id", 0, 5]}, "state": {"$first": "$state"}}},
                {"$project": {"_id": 0, "issuer_id": "$_id", "state": 1}},
            ],
        }
    ),
    "mrf_file_state_staging": Uneven({"capped": True, "size": 65536, "max": 100}),
}


def seed(root_uris: Mapping[str, str], database: str, *, easy: bool = False) -> None:
    """Fill every environment's cluster at once. `root_uris` are secrets, by environment."""

    def fill(environment: str) -> None:
        with MongoClient[Document](root_uris[environment], directConnection=True) as client:
            _fill(client[database], [c for c in collections() if environment in c.on], easy=easy)

    with ThreadPoolExecutor(len(root_uris)) as pool:
        list(pool.map(fill, root_uris))


def _fill(database: Database[Document], wanted: Iterable[SeedCollection], *, easy: bool) -> None:
    for collection in wanted:
        uneven = Uneven() if easy else UNEVEN.get(collection.name, Uneven())
        if uneven.options:
            database.create_collection(collection.name, **uneven.options)
        if "viewOn" in uneven.options:
            continue
        keys: list[Document] = [
            {"key": dict.fromkeys(fields, 1), "name": "_".join(fields)} | ({"unique": True} if unique else {})
            for fields, unique in collection.indexes
        ]
        # Indexes first: on an empty collection they cost nothing.
        database.command("createIndexes", collection.name, indexes=[*keys, *uneven.indexes])
        database[collection.name].insert_many([dict(document) for document in collection.documents])


def _log(action: str, count: int) -> tuple[Document, ...]:
    return tuple({"action": action, "actor": "system", "at": _WHEN, "number": n} for n in range(count))
