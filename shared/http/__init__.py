"""HTTP doors, for the services that have any; the others stand on `shared.plumbing` alone."""
