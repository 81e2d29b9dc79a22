"""What the GitHub workflows call: the approved plan, the pull request's comment, the required check, notifications."""
