"""Toy providers and programs with which the engine is tried."""
