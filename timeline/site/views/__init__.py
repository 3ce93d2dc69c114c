"""Read what each page shows, from a connection; knows no request and no template."""
