"""Tables and Markdown reports as Prefect artifacts."""


def as_table(content: dict) -> list[dict]:
    """A report as rows for a Prefect table artifact."""
    return [{"what": key, "value": str(value)} for key, value in content.items()]
