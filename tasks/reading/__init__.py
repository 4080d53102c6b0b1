"""From pictures to words: clean the ink, cut it into candidate letters, classify these, search strings and words.

The door is `reader.Reader`; training imports the steps before it, so that it sees what reading sees.
"""
