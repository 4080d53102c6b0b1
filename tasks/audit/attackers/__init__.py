"""Attackers on a CAPTCHA, from weak to strong: what they may know, how they read, and how their answers are judged."""
