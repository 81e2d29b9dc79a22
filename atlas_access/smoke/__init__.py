"""The smoke gates: what is asked, how answers are judged, the baseline and the browser."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
