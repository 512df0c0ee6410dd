"""Known persons: the gallery of pictures, the cast of a series, and matching against both."""
