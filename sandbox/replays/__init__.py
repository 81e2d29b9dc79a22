"""Replays of incidents and likely mistakes: each is first made by hand, then caught by the product."""
