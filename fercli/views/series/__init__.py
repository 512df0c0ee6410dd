"""The report of a series: one self-contained page, built by `page.build`."""
