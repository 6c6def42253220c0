"""READ: the only place where numbers from outside are parsed."""
