"""From a site and its movers to pictures, with masks that tell who is where in them."""
