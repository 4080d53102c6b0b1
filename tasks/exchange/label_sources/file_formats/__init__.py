"""Files of labels as tables of cells: text, JSON, XML, and what tools for annotation write.

Others use `label_files`, the rows of `annotations` and `json_entries`, and the names of `tool_exports`.
"""
