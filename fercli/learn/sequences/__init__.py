"""Training of networks over series (`models.sequences`) on features and annotations over time."""
