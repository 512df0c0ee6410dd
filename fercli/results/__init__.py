"""The result of a video: persons, tracks, segments and signals. `load` is the only join of tables and edits."""
