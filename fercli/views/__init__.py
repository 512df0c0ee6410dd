"""Visual outputs: report, rendered video, figures, contact sheets."""
