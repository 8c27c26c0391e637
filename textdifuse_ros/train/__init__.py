"""Training: data, degradations, losses, loops. Only this part knows data sets."""
