"""Wrong solutions of `sparse_linear`, as students write them."""
