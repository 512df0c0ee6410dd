"""The report: one self-contained page with persons and emotion timelines, built by `page.build`."""
