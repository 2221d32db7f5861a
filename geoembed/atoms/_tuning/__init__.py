"""Fine-tuning: a potential that learns something new, and what it forgets meanwhile."""
