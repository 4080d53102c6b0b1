"""How names spell labels: the marks that divide them, marks of capitals, and codes."""
