"""The live driver of the decision core: watch, read, decide, write, tell."""
