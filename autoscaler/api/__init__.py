"""What people and programs look at: forecasts, decisions and what-if over REST, and the web page."""
