"""Data sets from video: galleries of pictures of one person, and corpora of clips in which persons are seen."""
