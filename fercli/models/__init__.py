"""Networks: a registry by name, their weights, and one file for each detector, embedder and classifier."""
