"""What others do with the same work; each module runs in an environment of its own, without this project."""
