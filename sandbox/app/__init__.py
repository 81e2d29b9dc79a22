"""The demo application: eligibility, plans, coverage checks and a sign-up, in several builds; logs hold no secrets."""
