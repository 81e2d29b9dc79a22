"""AWS on one machine: moto, and in front of it what the product needs and moto lacks.

It listens on loopback only, serves only credentials that it issued itself, and shows no secret's value to a caller
whose policies or key forbid it.
"""
