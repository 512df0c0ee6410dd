"""`fercli import`: what was changed in an export becomes manual edits."""
