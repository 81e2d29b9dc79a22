"""What every part needs: settings, connection strings, endpoints, redaction, the answers. Imports nothing of ours."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
