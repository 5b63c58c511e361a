"""Running beside the service: the edge, supervised."""
