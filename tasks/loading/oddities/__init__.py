"""What a picture's ink shows besides letters: marks over letters, things that stand apart, blots.

Others import `find_oddities`.
"""
