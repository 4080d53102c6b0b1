"""Places (paths and URLs), atomic files, moves that replace nothing, and locks."""
