"""The report: one self-contained page to look at who showed what, when. `page.build` puts it together."""
