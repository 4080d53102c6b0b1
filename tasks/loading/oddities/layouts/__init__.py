"""Letters that stand where no reader looks for them: small, scattered, far apart, in several rows.

Each file takes a picture as seen, and sets its letters in one row that is as large as the picture.
"""
