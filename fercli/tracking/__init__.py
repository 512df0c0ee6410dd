"""Who is who: faces become tracks inside a shot (`association`), tracks become persons across shots (`clustering`)."""
