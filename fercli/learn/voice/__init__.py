"""Data sets of emotional speech, and classifiers of voices."""
