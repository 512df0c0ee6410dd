"""Classification by the nearest word vector."""

from __future__ import annotations

import numpy as np

from fercli.labels import EMOTIONS
from fercli.learn.evaluation.word_head import nearest_words
from fercli.learn.training.word_vectors import shipped_vectors


def test_faces_point_to_the_words_of_their_classes() -> None:
    rng = np.random.default_rng(0)
    vectors = shipped_vectors(EMOTIONS)
    centres = rng.normal(0, 1, (len(EMOTIONS), 32))
    labels = rng.integers(0, len(EMOTIONS), 700)
    features = (centres[labels] + rng.normal(0, 0.4, (700, 32))).astype(np.float32)
    found = nearest_words(features[:500], labels[:500], features[500:], vectors)
    assert (found == labels[500:]).mean() > 0.95
    shuffled = nearest_words(features[:500], rng.permutation(labels[:500]), features[500:], vectors)
    assert (shuffled == labels[500:]).mean() < 0.4
