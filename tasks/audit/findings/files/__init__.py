"""What the owner's files tell besides their pixels: metadata, names, times, structure.

Import `giveaways.find_giveaways`.
"""
