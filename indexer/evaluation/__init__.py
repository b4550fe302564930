"""Evaluation: index a BEIR folder with the real pipeline, search it as a user would, measure the results."""
