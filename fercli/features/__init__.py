"""Features of tracks over time, on disk: the input of networks over series (`models.sequence`)."""
