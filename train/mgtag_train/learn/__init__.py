"""Training: configuration, augmentation, batches, trainer, metrics, calibration, run records."""
