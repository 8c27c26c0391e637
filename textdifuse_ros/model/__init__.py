"""Few-step Text-DiFuse network: blocks, schedule, sampler, weights (torch only)."""
