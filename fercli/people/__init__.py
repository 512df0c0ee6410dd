"""Who the persons of a video are: galleries of known faces, the cast of a series, and a person's own corrections."""
