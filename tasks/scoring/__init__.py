"""Units that measure a model: metrics, evaluations and their reports, comparisons, and the book's procedure."""
