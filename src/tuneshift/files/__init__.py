"""Files of text as people have them: encodings, compression, JSON and YAML; the floor below models and data sets."""
