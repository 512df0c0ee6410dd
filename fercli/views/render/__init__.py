"""The video with what was found drawn over it, and the timelines as a picture."""
