"""The audit of a CAPTCHA: its owner's generator, attackers from weak to strong, the verdict, its causes, the report.

`schema.py` has the keys of `audit.json`; `generators/` draws with an owner's generator, `findings/` looks for defects
and causes, `attackers/` measures the attackers and gives the verdict, `page/` writes the report.
"""
