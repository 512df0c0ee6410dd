"""Reading of video and images.

`probe` reads the properties of a file, `index` the time of each frame, `decode` yields the frames in order, `shots`
finds the cuts, `images` has JPEG and sharpness. A frame is identified by its position in presentation order, from 0;
this number means the same frame in every module and stage.
"""
