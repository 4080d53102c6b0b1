"""The changes of a profile that `what_if` tries: which there are, and what each costs a reader."""
