"""An example of each command, with which its help begins, and the first steps, which `captchas` alone prints."""

EXAMPLES = {
    "generate": "captchas generate book --count 100000",
    "verify": "captchas verify book --repair",
    "export": "captchas export book --format webdataset",
    "import": "captchas import pictures --name mine",
    "train": "captchas train book",
    "evaluate": "captchas evaluate ladder book",
    "solve": "captchas solve picture.png",
    "serve": "captchas serve book",
    "reproduce": "captchas reproduce",
    "demo": "captchas demo --home demo",
    "audit": "captchas audit mine --minutes 20",
    "audit compare": "captchas audit compare mine other",
    "audit history": "captchas audit history mine",
    "regenerate": "captchas regenerate --profiles book",
    "up": "captchas up --port 4200",
    "inspect": "captchas inspect book",
    "datasets": "captchas datasets --json",
    "profiles": "captchas profiles book",
    "doctor": "captchas doctor --start",
    "preview": "captchas preview hard --count 12",
    "explain": "captchas explain BONE",
}

FIRST_STEPS = """\
captchas draws, stores, learns and reads text CAPTCHAs. First steps:

  captchas solve picture.png      read a picture
  captchas preview book           see what a profile draws
  captchas demo                   draw, train, measure and read, in small
  captchas doctor                 see whether this machine is ready

  captchas --help                 all commands
  captchas COMMAND --help         an example and the command's options
  captchas --install-completion   complete words with the Tab key
"""


def prologue(command: str) -> str | None:
    """Return what the help of a command begins with."""
    example = EXAMPLES.get(command)
    return f"Example: {example}" if example else None
