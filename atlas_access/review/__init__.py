"""Evidence and declarations for people: the access matrix, policy findings, deployments."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
