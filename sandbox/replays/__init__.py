"""Replays of what went wrong, and of what may: each first shown happening by hand, then caught by the product.

One file per replay, in the words of `stage.py` and its neighbours. A replay must never claim what it did not check,
nor touch any world but the one it was handed.
"""
