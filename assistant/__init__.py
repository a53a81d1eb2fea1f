"""One conversation turn, from message to reply."""
