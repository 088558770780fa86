"""From placed cameras to depth for each pixel, and one cloud of coloured points."""
