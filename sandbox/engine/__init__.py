"""A small deployment engine for machines without a `pulumi` CLI; see docs/decisions/0001-sandbox-engine.md.

It speaks Pulumi's gRPC protocol to the program, the providers, the dynamic host and policy packs, and keeps state in
Pulumi's deployment format, version 3. It supports what this product's program uses and refuses anything else. This
package imports nothing, because the processes that the engine starts live in it.
"""
