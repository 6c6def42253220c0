"""FORECAST: a batch of load histories in, quantiles of the load to come out. Pure: no I/O, no clock."""
