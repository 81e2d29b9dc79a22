"""The smoke gates: what is asked, how answers are judged, the baseline and the browser."""
