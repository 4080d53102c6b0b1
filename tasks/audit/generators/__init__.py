"""Drawing with an owner's own generator: a Python callable or a command, in processes of its own, under limits.

`own_generator.py` finds the generator, `drawn_dataset.py` draws a dataset with it. `warden.py` and `host.py` are the
programs of the processes: the warden watches, the host calls a Python callable.
"""
