"""The pages that people read: an audit's report, a comparison of two audits, and the history of a target.

`report_page.write_page`, `comparison_page.write_comparison`, `history_page.write_history` and
`history_page.history_plot` are for the flows. Each takes the values of `audit.json`, which strangers may have chosen,
and returns text: a page of HTML that needs no other file, or an SVG.
"""
