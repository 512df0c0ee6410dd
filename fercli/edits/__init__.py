"""Manual corrections of one video: their log, their anchors, and their application."""
