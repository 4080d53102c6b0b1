"""How right a model is: metrics, evaluations and their reports, the ladder, and the book's own procedure."""
