"""Wrong solutions of `deep_compression`, as students write them."""
