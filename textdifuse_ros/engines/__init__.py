"""Ways to run the fusion network: same inputs, same outputs."""
