"""The drawing of cards: pictures of 1200 by 630 pixels, which need the extra `cards`."""
