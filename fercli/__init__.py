"""fercli: who felt what, when, in a video."""

__version__ = "0.1.0"
