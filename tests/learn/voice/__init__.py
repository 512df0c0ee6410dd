"""Tests of fercli.learn.voice."""
