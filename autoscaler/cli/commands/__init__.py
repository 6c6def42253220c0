"""The commands and their options, for typer. What a command does lives in a module beside this folder."""
