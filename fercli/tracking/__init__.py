"""Tracking and identity resolution: faces become tracks inside a shot (`association`), tracks become persons across
shots (`clustering`)."""
