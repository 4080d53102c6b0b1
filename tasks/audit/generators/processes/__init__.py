"""The processes in which an owner's generator draws: a warden, and below it the host of a callable, or a command.

`warden.py` and `host.py` are their programs; both run without the environment of the command that started them.
"""
