"""What `captchas inspect` says of a model, in sentences for people."""
