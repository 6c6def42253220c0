"""What a backtest found out, for people and for programs: verdict, table, HTML, PNG, JSON, CSV."""
