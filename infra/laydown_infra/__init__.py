"""laydown on AWS: one construct or stack a file, from typed stages to templates."""
