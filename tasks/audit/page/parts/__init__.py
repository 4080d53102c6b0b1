"""The parts of an audit's report, in the order of the page: each takes the audit and returns its elements."""
