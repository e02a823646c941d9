"""Words that every package shares: ids, time, money, geography, modes, errors."""
