"""Ask servers on the web, and send to them."""
