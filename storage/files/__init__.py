"""Places (paths and URLs), whole files or none, moves that lose nothing, and locks."""
