"""Evaluation: metrics in plain numpy."""
