"""The annotated video, and the timelines as a figure."""
