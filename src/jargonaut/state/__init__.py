"""What changes and is shared by replicas: journals of events."""
