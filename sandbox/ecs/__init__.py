"""What runs an ECS service on one machine: the agent, its tasks as processes, and the balancer before them."""
