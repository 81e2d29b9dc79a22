"""Evidence and declarations for people: the access matrix and the story of a deployment, in every format.

It must never decide what is right or contact anything: it shows what the floors below have found, in the same bytes
for the same facts.
"""
