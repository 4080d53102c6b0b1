"""What an audit finds besides attacks: defects of the pictures and texts, causes of success, what a change would buy.

Import `defects.find_defects`, `causes.find_causes` and `what_if.find_what_ifs`; docs/audit-findings.md explains them.
"""
