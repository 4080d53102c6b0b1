"""Where labels may be: files that list them, and names of pictures. Texts in, texts out; no picture is opened.

`tasks.exchange.labels` and `labelling` import from here.
"""
