"""Takes questions with the sentences that answer them in, gives the weights of verdicts out."""
