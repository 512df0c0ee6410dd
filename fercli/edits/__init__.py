"""Manual corrections of one video: the log they are kept in, where each belongs, and what they change."""
