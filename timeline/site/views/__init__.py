"""What each page shows. Knows no request and no template."""
