"""What people look at: report, rendered video, figures, contact sheets."""
