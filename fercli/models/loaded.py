"""Networks that stay loaded, for several stages and several videos of one process."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from fercli.models.registry import find_classifier, find_weights, load_model
from fercli.models.spec import ModelSpec
from fercli.models.weights import read_header, require_emotions
from fercli.workspace import FileState

if TYPE_CHECKING:
    from fercli.models.classifier import EmotionClassifier

_Key = tuple[str, Path | None, FileState | None, str]


class Models:
    """A cache that loads each network once. The caller that runs the stages creates and passes it; there is no global
    one.

    The key is the loader, the present state of the weights file, and the device.
    """

    def __init__(self) -> None:
        self._loaded: dict[_Key, Any] = {}

    def load(self, spec: ModelSpec, given: str = "", device: str = "cpu") -> Any:
        """As `registry.load_model`, with the same errors; loaded at the first call."""
        key = _key(spec.loader, find_weights(spec, given), device)
        if key not in self._loaded:
            self._loaded[key] = load_model(spec, given, device)
        return self._loaded[key]

    def classifier(self, model: str, device: str) -> EmotionClassifier:
        """A classifier of emotions by name or file; errors as `find_classifier`, `require_emotions` and
        `EmotionClassifier`."""
        from fercli.models import classifier

        _, path = find_classifier(model)
        require_emotions(path, read_header(path))
        key = _key(classifier.__name__, path, device)
        if key not in self._loaded:
            self._loaded[key] = classifier.EmotionClassifier(path, device)
        loaded: EmotionClassifier = self._loaded[key]
        return loaded


def _key(loader: str, weights: Path | None, device: str) -> _Key:
    return loader, weights, FileState.of(weights) if weights else None, device
