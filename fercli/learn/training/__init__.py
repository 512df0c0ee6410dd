"""Training: augmentation, the loop, checkpoints that resume exactly."""
