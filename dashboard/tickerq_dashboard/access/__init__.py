"""Who may use the dashboard, and what keeps everyone else out."""
