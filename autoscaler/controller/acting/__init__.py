"""Whether, what and how a count is written, and who else writes it."""
