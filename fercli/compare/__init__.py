"""Parts side by side on the same data: detectors, landmarks, classifiers."""
