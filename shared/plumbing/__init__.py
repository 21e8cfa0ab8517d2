"""What every service stands on: events, messages, requests, and the process around them."""

import warnings

# Known, and answered in docs/reliability.md.
warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
