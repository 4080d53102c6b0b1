"""Other programs as attackers, Tesseract and ddddocr: how they are found, run, and given data for the letters."""
