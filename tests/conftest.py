from shared.testing.infrastructure import broker, calls_db, comments_db, gateway_db, recordings_db, services, stack

__all__ = ["broker", "calls_db", "comments_db", "gateway_db", "recordings_db", "services", "stack"]
