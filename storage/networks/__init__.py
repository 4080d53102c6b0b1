"""What a deep model's file may hold: checked by arithmetic alone, before a library for networks builds anything of it.

`storage.deep_models` imports from here.
"""
