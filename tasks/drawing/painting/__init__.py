"""Pictures that are painted: colours, grounds, letters that each look different, noise under and over them.

Other rooms import nothing of it: `tasks.drawing.renderer` calls `painter`; the other files are its kernels.
"""
