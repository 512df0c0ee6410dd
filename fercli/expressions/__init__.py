"""From the faces of a track to segments: gates, windows, smoothing."""
