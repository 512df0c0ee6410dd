"""The version of fercli."""

VERSION = "0.1.0"
