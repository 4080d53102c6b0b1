"""Files and paths: places (a path or a URL), atomic writes, moves that never replace a file, and locks."""
