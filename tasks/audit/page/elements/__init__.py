"""What pages are built of: elements that escape all text, words for numbers, tables, pictures, the page around them."""
