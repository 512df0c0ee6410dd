"""Video and images: what comes in as pixels.

`probe` opens a file and states the facts, `index` says when each frame is shown, `decode` hands out the frames in
order, `shots` finds the cuts, `images` is JPEG and sharpness. A frame is known by its place in presentation order,
from 0, and that number means the same frame in every module and in every stage.
"""
