"""The commands: where each is, as `module:function`, and what it does."""

COMMANDS = {
    "generate": ("flows.generate:generate", "Draw a dataset of pictures into sharded HDF5, or finish or extend it."),
    "verify": ("flows.verify:verify", "Prove a dataset whole, or find and repair missing, altered and foreign files."),
    "export": ("flows.export:export", "Write a dataset's pictures and labels in a format that other tools read."),
    "import": ("flows.ingest:ingest", "Make a dataset of a folder of labelled pictures."),
    "train": ("flows.train:train", "Train the letter network on a dataset."),
    "evaluate": ("flows.evaluate:evaluate", "Measure a model on a dataset's pictures that it has not seen."),
    "audit": ("flows.audit:audit", "Judge how strong a CAPTCHA is: let attackers try, and say what they got."),
    "solve": ("flows.solve:solve", "Read a folder of pictures into a file, or named pictures at once."),
    "serve": ("flows.serve:serve", "Choose the model that solve reads with, or tell which one it is."),
    "reproduce": ("flows.reproduce:reproduce", "Run the book's procedure as printed, then mend one defect at a time."),
    "demo": ("flows.demo:demo", "Draw, train, evaluate and solve on a small scale."),
    "regenerate": ("flows.regenerate:regenerate", "Draw, train, measure; serve the new model if it is no worse."),
    "up": ("flows.up:up", "Run the deployments on this machine: server, UI, worker. Ends with Ctrl-C."),
    "inspect": ("flows.describe:inspect", "Show what a dataset or a model file holds."),
    "datasets": ("flows.datasets:datasets", "List datasets with their sizes, or remove a dataset."),
    "profiles": ("flows.profiles:profiles", "List the kinds of pictures that can be drawn, and the fonts."),
    "doctor": ("flows.doctor:doctor", "Look for what is wrong with this installation, and say what mends it."),
    "preview": ("flows.preview:preview", "Draw a profile's first pictures as a contact sheet, at once."),
    "explain": ("flows.explain:explain", "Show how a word is read, what a network learnt, or how it learns."),
}
BELOW_MODULE = "flows.auditing.comparing"  # where the commands below `audit` are
HELP = {"--help", "-h", "--version"}  # options that only tell
