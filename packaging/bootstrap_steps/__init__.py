"""The steps of the set-up: what is missing, the environment, the build, the checks."""
