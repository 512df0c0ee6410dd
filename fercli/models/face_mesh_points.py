"""Numbers that belong to MediaPipe's face mesh: which points mean what, and the canonical face.

From MediaPipe (Apache-2.0): `face_blendshapes_graph.cc` and the geometry metadata of `face_landmarker.task`.
"""

from __future__ import annotations

_NAMES = """
browDownLeft browDownRight browInnerUp browOuterUpLeft browOuterUpRight cheekPuff cheekSquintLeft cheekSquintRight
eyeBlinkLeft eyeBlinkRight eyeLookDownLeft eyeLookDownRight eyeLookInLeft eyeLookInRight eyeLookOutLeft
eyeLookOutRight eyeLookUpLeft eyeLookUpRight eyeSquintLeft eyeSquintRight eyeWideLeft eyeWideRight jawForward jawLeft
jawOpen jawRight mouthClose mouthDimpleLeft mouthDimpleRight mouthFrownLeft mouthFrownRight mouthFunnel mouthLeft
mouthLowerDownLeft mouthLowerDownRight mouthPressLeft mouthPressRight mouthPucker mouthRight mouthRollLower
mouthRollUpper mouthShrugLower mouthShrugUpper mouthSmileLeft mouthSmileRight mouthStretchLeft mouthStretchRight
mouthUpperUpLeft mouthUpperUpRight noseSneerLeft noseSneerRight
"""
BLENDSHAPES = tuple(_NAMES.split())
"""Names of the blendshapes, in the order of the network's outputs behind the first, which is `_neutral` and has no use.
They are those of Apple's ARKit: left and right are the person's own. They are no action units of FACS."""

_SUBSET = """
0 1 4 5 6 7 8 10 13 14 17 21 33 37 39 40 46 52 53 54 55 58 61 63 65 66 67 70 78 80 81 82 84 87 88 91 93 95 103 105 107
109 127 132 133 136 144 145 146 148 149 150 152 153 154 155 157 158 159 160 161 162 163 168 172 173 176 178 181 185
191 195 197 234 246 249 251 263 267 269 270 276 282 283 284 285 288 291 293 295 296 297 300 308 310 311 312 314 317
318 321 323 324 332 334 336 338 356 361 362 365 373 374 375 377 378 379 380 381 382 384 385 386 387 388 389 390 397
398 400 402 405 409 415 454 466 468 469 470 471 472 473 474 475 476 477
"""
BLENDSHAPE_INPUT = tuple(map(int, _SUBSET.split()))
"""The points of the mesh from which the blendshapes are computed."""

POSE_POINTS = (
    # point, weight, and x, y, z of the canonical face in centimetres: to the right as seen, up, out of the face
    (4, 0.07091, 0, -0.4632, 7.5866),
    (6, 0.0321, 0, 2.4733, 5.7886),
    (10, 0.00845, 0, 8.2618, 4.4815),
    (33, 0.05872, -4.4459, 2.664, 3.1734),
    (54, 0.00767, -6.2793, 6.6154, 1.4259),
    (67, 0.00908, -3.524, 8.006, 3.7292),
    (117, 0.00979, -5.2587, 0.9458, 2.9743),
    (119, 0.01457, -3.3007, 0.8616, 3.8728),
    (121, 0.01859, -1.8207, 1.468, 4.2241),
    (127, 0.0052, -7.7431, 2.365, -2.0052),
    (129, 0.12063, -1.7858, -0.9783, 4.8505),
    (132, 0.00556, -7.2709, -2.8909, -2.2525),
    (133, 0.05329, -1.8564, 2.5852, 3.7579),
    (136, 0.06689, -5.0853, -7.1786, 0.7147),
    (143, 0.01482, -6.4076, 2.236, 1.5608),
    (147, 0.01426, -6.2349, -1.9444, 1.6635),
    (198, 0.02546, -1.2468, 0.2303, 5.681),
    (205, 0.04725, -3.8329, -1.5373, 4.1377),
    (263, 0.05872, 4.4459, 2.664, 3.1734),
    (284, 0.00767, 6.2793, 6.6154, 1.4259),
    (297, 0.00908, 3.524, 8.006, 3.7292),
    (346, 0.00979, 5.2587, 0.9458, 2.9743),
    (348, 0.01457, 3.3007, 0.8616, 3.8728),
    (350, 0.01859, 1.8207, 1.468, 4.2241),
    (356, 0.0052, 7.7431, 2.365, -2.0052),
    (358, 0.12063, 1.7858, -0.9783, 4.8505),
    (361, 0.00556, 7.2709, -2.8909, -2.2525),
    (362, 0.05329, 1.8564, 2.5852, 3.7579),
    (365, 0.06689, 5.0853, -7.1786, 0.7147),
    (372, 0.01482, 6.4076, 2.236, 1.5608),
    (376, 0.01426, 6.2349, -1.9444, 1.6635),
    (420, 0.02546, 1.2468, 0.2303, 5.681),
    (425, 0.04725, 3.8329, -1.5373, 4.1377),
)
"""The points by which the head is aligned with the canonical face."""

EYES = ((33, 160, 158, 133, 153, 144), (362, 385, 387, 263, 373, 380))
"""Of each eye, the one on the left of the picture first: left corner, two points of the upper lid from left to right,
right corner, two points of the lower lid from right to left."""
MOUTH = (13, 14, 78, 308)
"""Inner edge of the upper lip and of the lower, left and right corner as seen in the picture."""
