"""A mistake in a command line, in words."""

from inspect import Parameter

from cyclopts import CycloptsError, MissingArgumentError, UnusedCliTokensError


def misuse_explained(error: CycloptsError) -> str:
    """Return a mistake in a command line as a sentence; arguments without a name are called as the help calls them."""
    command = " ".join(error.command_chain or ())
    see = f"see captchas {command} --help"
    if isinstance(error, MissingArgumentError) and error.argument is not None and command:
        name = error.keyword or error.argument.name
        if error.keyword is None and error.argument.field_info.kind is not Parameter.KEYWORD_ONLY:
            name = name.lstrip("-").upper()
            return f"{name} is missing: captchas {command} {name} …; {see}"
        return f"{name}: needs a value; {see}"
    if isinstance(error, UnusedCliTokensError) and error.unused_tokens and command:
        return f"{command}: takes no argument {error.unused_tokens[0]!r} there; {see}"
    return str(error)
