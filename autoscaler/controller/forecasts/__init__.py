"""Forecasts on their own clock: a process that reads, fits and forecasts, and what it tells the operator."""
