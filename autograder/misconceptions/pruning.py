"""Wrong solutions of `pruning`, as students write them."""
