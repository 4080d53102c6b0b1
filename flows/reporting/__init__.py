"""Output of a run for people: its name and state, its progress, and its report in the shell or as a Prefect artifact.

Flows import `told`, `named` and `RETRIES` of runs, `stage` of progress, `show_…` of artifacts, and `show` of show.
"""
