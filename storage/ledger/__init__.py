"""What is known of every picture of every inbox, in an SQLite database."""
