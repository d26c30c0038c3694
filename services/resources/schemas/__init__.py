"""What requests and answers of charity resources look like."""
