"""An alert in Slack for each run that has failed for good."""
