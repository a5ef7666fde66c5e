"""Who must agree: requests, reviews, grants."""
