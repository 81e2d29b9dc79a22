"""The proof of a credential: expectations, attempts, verdicts and their report."""
