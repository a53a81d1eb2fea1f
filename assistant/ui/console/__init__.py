"""Takes what the team's reports and stores say in, gives the pages of ``/console`` out.

Computes nothing: whatever a page shows, a command prints too. Knows nothing of how a reply is made.
"""
