"""What the shell sees of every command: its examples, its completion, and how it ends."""
