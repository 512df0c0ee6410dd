"""All workspaces below a folder as one series: found, read one at a time, summed up, and collected into tables."""
