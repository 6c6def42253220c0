"""What is known of the future: holidays, occasions, lasting changes; what nothing is learned from."""
