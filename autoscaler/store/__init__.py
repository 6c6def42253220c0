"""What is kept: decisions, memories, observations, forecasts and spend, in SQLite or PostgreSQL.

Knows nothing of planning: payloads are dictionaries of plain JSON types.
"""
