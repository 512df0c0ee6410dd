"""Many videos in one run: which ones, where their files go, on which workers, and how each of them ended."""
