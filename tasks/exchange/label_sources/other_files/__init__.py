"""Files that may hold labels and are not read for them: links and pipes, files of unknown kinds, facts about files."""
