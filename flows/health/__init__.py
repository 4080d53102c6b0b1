"""The checks of `captchas doctor`: each works alone, and imports what it looks at only when it runs."""
