"""What a run tells: its name and state, its progress, and its report for people, as JSON or as a Prefect artifact."""
