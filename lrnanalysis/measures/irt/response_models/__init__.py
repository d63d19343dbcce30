"""Response models: one class per family of curves, and their parameters in one vector."""
