"""Numbers and pictures drawn as PNG files for people: contact sheets, score plots and comparisons.

Arrays and plain numbers go in, PNG bytes come out.
"""
