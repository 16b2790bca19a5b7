"""Reading times: people's times word by word, as people bring them and as corpora publish them."""
