"""Constant load on the running services, in a process of its own, and its report."""
