"""The parts of `captchas audit`: what is audited, who attacks it, what follows from that, and earlier audits."""
