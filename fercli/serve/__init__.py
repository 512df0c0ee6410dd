"""The HTTP service and its web page: a thin layer over the library, and the engine that folders use."""
