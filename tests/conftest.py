from shared.testing.infrastructure import billing_db, broker, calls_db, comments_db, gateway_db, services, stack

__all__ = ["billing_db", "broker", "calls_db", "comments_db", "gateway_db", "services", "stack"]
