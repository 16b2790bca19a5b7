"""The page: its frame, what stands on it in which order, its tables, scripts and style."""
