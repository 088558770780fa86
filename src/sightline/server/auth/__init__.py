"""Who somebody is, and whether they may."""
