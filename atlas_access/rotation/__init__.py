"""The legacy inventory and its retirement: gate, tombstones, deletion; status, undo and the local env file."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
