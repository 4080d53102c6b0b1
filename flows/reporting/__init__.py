"""What a run shows: its name and state, its progress, and its report as JSON, table or Prefect artifact."""
