"""ResNet-18 for the features of each face, an LSTM for their change over a clip."""

from __future__ import annotations

from torch import Tensor, nn

from fercli.models.tsm import N_FEATURES, ResNet18Trunk

N_HIDDEN = 256


class ResNet18Lstm(ResNet18Trunk):
    """The frames of a clip one by one through ResNet-18, their features in order through one LSTM.

    The output is computed from the LSTM's last step. Its gates are those of Gers et al. 2000 (Learning to forget,
    Neural Computation 12(10)). A clip may have any number of frames.

    Args:
        n_classes: length of the output.
        stem_pool: see `ResNet18Trunk`.
        dropout: dropout probability before the last layer, in training.
    """

    def __init__(self, n_classes: int, stem_pool: bool = False, dropout: float = 0.0) -> None:
        super().__init__(n_frames=1, stem_pool=stem_pool)
        self.lstm = nn.LSTM(N_FEATURES, N_HIDDEN, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(N_HIDDEN, n_classes)
        self._initialise()

    def forward(self, clips: Tensor) -> Tensor:
        """(N, T, 3, H, W) float, normalised, frames in order of time -> (N, n_classes) logits."""
        return self.classify(self.features(clips.flatten(0, 1)), len(clips))

    def classify(self, features: Tensor, n_clips: int) -> Tensor:
        """(n_clips * T, N_FEATURES), as `features` gives them -> (n_clips, n_classes) logits."""
        steps, _ = self.lstm(features.view(n_clips, -1, N_FEATURES))
        logits: Tensor = self.fc(self.dropout(steps[:, -1]))
        return logits

    def by_frame(self, clips: Tensor) -> Tensor:
        """As `forward` -> (N, T, n_classes), for each frame the answer of its clip: there is no other."""
        return self.forward(clips)[:, None].expand(-1, clips.shape[1], -1)
