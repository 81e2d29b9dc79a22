"""A small deployment engine for the sandbox, for machines without a `pulumi` CLI.

Why there is one: docs/decisions/0001-sandbox-engine.md.

It speaks Pulumi's gRPC protocol to the program, the providers, the dynamic host and policy packs, and keeps its state
in Pulumi's deployment format, version 3. It does what this product's program uses, exactly; anything else is refused.
It must never reach beyond loopback, and never write a secret in plaintext.

`runner.run` runs one operation, as `request.EngineRequest` says; `exchange` takes states in and out. Nothing is
imported here: the processes that the engine starts live in this package, too, and need none of it.
"""
