"""Makes and measures the models; delete it and the product still runs."""
