"""SQL analysis: text and catalogue in, facts out. Pure: neither Django nor the network."""
