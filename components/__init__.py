"""Pulumi component resources: what a stack consists of, and in which order it comes to be.

Components declare. They decide nothing that a pure function of `access` could decide, create nothing inside an
`apply`, and never see a secret as anything but an Output.
"""
