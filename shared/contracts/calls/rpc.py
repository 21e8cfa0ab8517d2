"""The RPC methods of calls."""

from shared.contracts.rpc import resend_method, timeline_method

timeline = timeline_method("calls")
resend = resend_method("calls")
