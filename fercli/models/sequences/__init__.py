"""Networks over series of features: valence, classes or intensity of every step, one network a file.

A series is one vector a step for each modality (face, voice, ...), at a constant rate. Where a modality has nothing, as
no face is on screen, it is missing, which is not the same as zero: the network has a learned vector for it.
"""
