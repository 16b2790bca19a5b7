"""Sections: one file a measurement, with its figures and tables; its methods text and citations."""
