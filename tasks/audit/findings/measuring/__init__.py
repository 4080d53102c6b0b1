"""What findings rest on: a sample of pictures, ink and its parts, properties of pictures, tests, pictures to show."""
