"""The desk: pages on this machine where a person records events and decides what is proposed.

The published site does not know it. Nothing but `timeline.cli` imports it.
"""
